//! Detection: each detector looks for its kind of resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::problem::Problem;
use super::sources::Sources;
use super::{KnownOrigin, Origin, ec2, ecs, eks, elastic_beanstalk};
use crate::support::background::Task;
use crate::support::stats::Counters;

/// What [`detect_origin`](crate::RecorderBuilder::detect_origin) looks for. The most specific comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// An environment of Elastic Beanstalk, by the file `/var/elasticbeanstalk/xray/environment.conf`, which its agent
    /// writes where X-Ray is switched on: `environment_name`, `version_label`, `deployment_id`.
    ElasticBeanstalk,
    /// A container of EKS, by the issuer in the token of the pod's service account, whose signature is not checked: `pod`
    /// and, where the control group names it, `container_id`.
    ///
    /// The name of the cluster is known to the API server alone, and to it only for who may read the config map
    /// `cluster-info` of Container Insights. It is not asked: give `cluster_name` to [`Origin::with_aws`].
    Eks,
    /// A container of ECS, on EC2 or Fargate, by the task metadata endpoint of version 4 that
    /// `ECS_CONTAINER_METADATA_URI_V4` names: `container` (the host name), `container_id`, `container_arn`, `task_arn`,
    /// `task_family`, `cluster_arn`, `availability_zone`, `launch_type`.
    Ecs,
    /// An instance of EC2, by its metadata service of version 2, at `AWS_EC2_METADATA_SERVICE_ENDPOINT` or
    /// `http://169.254.169.254`: `instance_id`, `instance_size`, `ami_id`, `availability_zone`, and the `account_id`. Not
    /// asked where `AWS_EC2_METADATA_DISABLED` is `true`.
    Ec2,
}

impl Detector {
    /// All of them.
    ///
    /// ```
    /// use xray::origin::Detector;
    ///
    /// let recorder = xray::Recorder::builder().detect_origin(Detector::all()).build();
    /// # drop(recorder);
    /// ```
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::ElasticBeanstalk, Self::Eks, Self::Ecs, Self::Ec2].into_iter()
    }

    /// `None` where it is not there.
    async fn detect(self, sources: &Sources) -> Result<Option<Origin>, Problem> {
        let detected = async {
            match self {
                Self::ElasticBeanstalk => elastic_beanstalk::detect(sources),
                Self::Eks => eks::detect(sources),
                Self::Ecs => ecs::detect(sources).await,
                Self::Ec2 => ec2::detect(sources).await,
            }
        };
        let late = || Err(Problem(format!("no answer within {:?}", sources.time)));
        timeout(sources.time, detected).await.unwrap_or_else(|_| late())
    }
}

/// What detects an origin, for a thread in the background.
pub(crate) fn detect(detectors: Vec<Detector>, origin: &KnownOrigin, counters: Arc<Counters>) -> Task {
    let (given, detected) = (origin.given.clone(), Arc::clone(&origin.detected));
    let sources = Sources::of_environment();
    Box::pin(async move {
        let found = find(detectors, &sources, &counters).await;
        if let Some(origin) = given.into_iter().chain(found).reduce(|origin, less| origin.or(&less)) {
            let _ = detected.set(origin);
        }
    })
}

/// What there is, the most specific first. All detectors look at a time.
async fn find(
    detectors: Vec<Detector>,
    sources: &Sources,
    counters: &Counters,
) -> impl Iterator<Item = Origin> + use<> {
    let mut looking = JoinSet::new();
    for detector in detectors {
        let sources = sources.clone();
        looking.spawn(async move { (detector, detector.detect(&sources).await) });
    }
    let mut found = BTreeMap::new();
    while let Some(looked) = looking.join_next().await {
        match looked {
            Ok((detector, Ok(Some(origin)))) => drop(found.insert(detector, origin)),
            Ok((detector, Ok(None))) => log::debug!(target: "xray::origin", "{detector:?}: not here"),
            Ok((detector, Err(problem))) => {
                counters.origin_failures.increment();
                log::warn!(target: "xray::origin", "{detector:?} is not detected: {problem}");
            }
            Err(panic) => log::error!(target: "xray::origin", "a detector failed: {panic}"),
        }
    }
    found.into_values()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::{env, fs};

    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    /// A file system with these files, and no metadata service.
    fn sources(name: &str, files: &[(&str, &[u8])]) -> Sources {
        let root = env::temp_dir().join(format!("xray-origin-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Sources { time: Duration::from_secs(60), root, ec2_metadata: None, ecs_metadata: None }
    }

    async fn detected(detector: Detector, files: &[(&str, &[u8])]) -> Result<Option<Origin>, Problem> {
        let sources = sources(&format!("{:p}", files.as_ptr()), files);
        let detected = detector.detect(&sources).await;
        fs::remove_dir_all(&sources.root).unwrap();
        detected
    }

    const BEANSTALK: &str = "var/elasticbeanstalk/xray/environment.conf";
    const TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";

    #[tokio::test]
    async fn elastic_beanstalk() {
        for (deployment_id, expected) in [("32", json!(32)), ("\"32\"", json!(32)), ("null", json!(null))] {
            let conf = format!(
                r#"{{"deployment_id": {deployment_id}, "version_label": "app-1_2", "environment_name": "shop-prod"}}"#
            );
            let origin = detected(Detector::ElasticBeanstalk, &[(BEANSTALK, conf.as_bytes())]).await.unwrap().unwrap();
            assert_eq!(origin.name(), "AWS::ElasticBeanstalk::Environment");
            let block = &origin.aws["elastic_beanstalk"];
            assert_eq!((&block["version_label"], &block["environment_name"]), (&json!("app-1_2"), &json!("shop-prod")));
            assert_eq!(
                block.get("deployment_id"),
                Some(&expected).filter(|id| id.is_number()),
                "an integer, or nothing"
            );
        }
        assert_eq!(detected(Detector::ElasticBeanstalk, &[]).await.unwrap(), None);
        let huge = format!(r#"{{"version_label": "{}"}}"#, "x".repeat(1_000_000));
        for conf in [
            &b""[..],
            b"\xff\xfe",
            b"[]",
            br#"{"deployment_id": "thirty-two"}"#,
            br#"{"deployment_id": 3.5}"#,
            br#"{"deployment_id": 32, "version_label": 7}"#,
            huge.as_bytes(),
        ] {
            let problem = detected(Detector::ElasticBeanstalk, &[(BEANSTALK, conf)]).await.unwrap_err();
            assert!(problem.0.contains("environment.conf") && problem.0.len() < 500, "{problem}");
        }
        // A directory where the file is to be.
        let below = format!("{BEANSTALK}/file");
        assert!(detected(Detector::ElasticBeanstalk, &[(&below, b"")]).await.is_err());
    }

    fn token(claims: &str) -> Vec<u8> {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl\n", BASE64_URL_SAFE_NO_PAD.encode(claims)).into_bytes()
    }

    #[tokio::test]
    async fn eks() {
        let id = "0123456789abcdef".repeat(4);
        let group = format!("12:cpu:/kubepods.slice/cri-containerd-{id}.scope\n0::/\n");
        let host: (&str, &[u8]) = ("proc/sys/kernel/hostname", b"shop-5d4f\n");
        for issuer in [
            "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF",
            "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/0123456789ABCDEF",
            "https://oidc-eks.eu-west-1.api.aws/id/0123456789ABCDEF",
        ] {
            let token = token(&json!({ "iss": issuer, "exp": 1 }).to_string());
            let files: &[(&str, &[u8])] = &[(TOKEN, &token), host, ("proc/self/cgroup", group.as_bytes())];
            let origin = detected(Detector::Eks, files).await.unwrap().unwrap();
            assert_eq!(origin.name(), "AWS::EKS::Container");
            assert_eq!(origin.aws["eks"], json!({ "pod": "shop-5d4f", "container_id": id }));
        }
        let unnamed: &[(&str, &[u8])] = &[
            (TOKEN, &token(r#"{"iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/0"}"#)),
            host,
            ("proc/self/cgroup", b"0::/\n"),
        ];
        let origin = detected(Detector::Eks, unnamed).await.unwrap().unwrap();
        assert_eq!(origin.aws["eks"], json!({ "pod": "shop-5d4f" }));

        assert_eq!(detected(Detector::Eks, &[]).await.unwrap(), None);
        for elsewhere in ["https://kubernetes.default.svc.cluster.local", "https://oidc.eks.evil.example.com/id/0", ""]
        {
            let token = token(&json!({ "iss": elsewhere }).to_string());
            assert_eq!(detected(Detector::Eks, &[(TOKEN, &token), host]).await.unwrap(), None, "{elsewhere}");
        }
        for broken in [
            b"".to_vec(),
            b"\xff".to_vec(),
            b"a.b.c".to_vec(),
            token("[]"),
            token(r#"{"iss": 7}"#),
            b"x".repeat(100_000),
        ] {
            assert!(detected(Detector::Eks, &[(TOKEN, &broken), host]).await.is_err());
        }
    }

    #[tokio::test]
    async fn the_most_specific_names_it_and_all_say_what_they_know() {
        let conf = br#"{"deployment_id": 32, "version_label": "app-1_2", "environment_name": "shop-prod"}"#;
        let token = token(r#"{"iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/0"}"#);
        let files: &[(&str, &[u8])] = &[(BEANSTALK, conf), (TOKEN, &token), ("proc/sys/kernel/hostname", b"shop-5d4f")];
        let sources = sources("most-specific", files);
        let counters = Counters::default();
        let found: Vec<_> =
            find(vec![Detector::Ec2, Detector::Eks, Detector::ElasticBeanstalk], &sources, &counters).await.collect();
        fs::remove_dir_all(&sources.root).unwrap();
        let names: Vec<_> = found.iter().map(Origin::name).collect();
        assert_eq!(names, ["AWS::ElasticBeanstalk::Environment", "AWS::EKS::Container"]);
        let given =
            Origin::new("AWS::EKS::Container").with_aws("eks", json!({ "pod": "mine", "cluster_name": "shop" }));
        let origin = found.iter().fold(given, Origin::or);
        assert_eq!(origin.name(), "AWS::EKS::Container");
        assert_eq!(origin.aws["eks"], json!({ "pod": "mine", "cluster_name": "shop" }));
        assert_eq!(origin.aws["elastic_beanstalk"]["deployment_id"], 32);
        assert_eq!(counters.snapshot().origin_failures, 0);
    }

    #[test]
    fn container_ids() {
        let id = "0123456789abcdef".repeat(4);
        for (group, expected) in [
            (format!("1:name=systemd:/docker/{id}\n"), true),
            (format!("0::/kubepods/burstable/pod1234/{id}\n"), true),
            (format!("0::/system.slice/docker-{id}.scope"), true),
            ("0::/\n".to_owned(), false),
            (format!("0::/{id}0\n"), false),
            (format!("0::/{}\n", "g".repeat(64)), false),
        ] {
            let sources = sources("container-ids", &[("proc/self/cgroup", group.as_bytes())]);
            assert_eq!(sources.container_id().as_ref(), expected.then_some(&id), "{group}");
        }
    }
}
