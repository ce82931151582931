//! Clients of the SDK for a server on this machine.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use xray::aws_sdk::SubsegmentInterceptor;

/// Returns the settings that the clients share.
pub fn shared(url: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "SECRETEXAMPLE", None, None, "tests");
    SdkConfig::builder()
        .endpoint_url(url)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(20)).build())
        .behavior_version(BehaviorVersion::latest())
        .build()
}

macro_rules! clients {
    ($($krate:ident: $plain:ident, $traced:ident $(, $setting:ident)?;)*) => {$(
        pub fn $plain(url: &str) -> $krate::Client {
            let config = $krate::config::Builder::from(&shared(url))$(.$setting(true))?;
            $krate::Client::from_conf(config.build())
        }

        /// A client with the interceptor.
        pub fn $traced(url: &str) -> $krate::Client {
            let config = $krate::config::Builder::from(&shared(url))$(.$setting(true))?;
            $krate::Client::from_conf(config.interceptor(SubsegmentInterceptor::new()).build())
        }
    )*};
}

clients! {
    aws_sdk_dynamodb: dynamodb, traced_dynamodb;
    aws_sdk_lambda: lambda, traced_lambda;
    aws_sdk_s3: s3, traced_s3, force_path_style;
    aws_sdk_sns: sns, traced_sns;
    aws_sdk_sqs: sqs, traced_sqs;
}
