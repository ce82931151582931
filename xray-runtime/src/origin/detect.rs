//! Detection of the AWS resource on which the program runs.
//!
//! Each detector looks for one kind of resource. All run at once on the background thread of the recorder, each for a
//! limited time, so that neither the start of the program nor a segment waits for a metadata service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::problem::Problem;
use super::sources::Sources;
use super::{Origin, ec2, ecs, eks, elastic_beanstalk};
use crate::support::background::{Background, Task};
use crate::support::log_line::log_line;
use crate::support::process::PerProcess;
use crate::support::stats::Counters;
use crate::support::worker::Worker;

/// A kind of AWS resource that [`detect_origin`](crate::RecorderBuilder::detect_origin) looks for.
///
/// A detector takes at most one second, or the seconds in `AWS_METADATA_SERVICE_TIMEOUT`, from 1 to 60. A detector that
/// finds something it cannot read is counted in [`Stats::origin_failures`](crate::Stats::origin_failures) and logged.
// The order matters: detected origins are merged in it, and the first one gives the type. A container on an instance is
// a container. (The X-Ray SDKs order Elastic Beanstalk, ECS and EC2 in this way.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// An environment of Elastic Beanstalk.
    ///
    /// Source: the file `/var/elasticbeanstalk/xray/environment.conf`, which the agent of Elastic Beanstalk writes if
    /// X-Ray is switched on. Recorded keys: `environment_name`, `version_label`, `deployment_id`.
    ElasticBeanstalk,
    /// A container of EKS.
    ///
    /// Source: the issuer in the token of the pod's service account. The signature of the token is not checked.
    /// Recorded keys: `pod`, and `container_id` if the control group of the process names it.
    ///
    /// The name of the cluster is not detected. Only the API server knows it, and only a pod with the right to read the
    /// config map `cluster-info` of Container Insights may ask. Pass `cluster_name` to [`Origin::with_aws`] instead.
    Eks,
    /// A container of ECS, on EC2 or Fargate.
    ///
    /// Source: the task metadata endpoint of version 4, at `ECS_CONTAINER_METADATA_URI_V4`. Recorded keys: `container`
    /// (the host name), `container_id`, `container_arn`, `task_arn`, `task_family`, `cluster_arn`, `availability_zone`,
    /// `launch_type`; and outside the object `cloudwatch_logs`, with the log group of the log driver `awslogs`.
    Ecs,
    /// An instance of EC2.
    ///
    /// Source: the instance metadata service of version 2, at `AWS_EC2_METADATA_SERVICE_ENDPOINT` or
    /// `http://169.254.169.254`. It is not asked if `AWS_EC2_METADATA_DISABLED` is `true`. Recorded keys:
    /// `instance_id`, `instance_size`, `ami_id`, `availability_zone`, and `account_id` outside the object.
    Ec2,
}

impl Detector {
    /// Returns all detectors.
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

    /// Looks for the resource; `None` if the program does not run on it.
    async fn detect(self, sources: &Sources) -> Result<Option<Origin>, Problem> {
        let detected = async {
            match self {
                Self::ElasticBeanstalk => elastic_beanstalk::detect(sources),
                Self::Eks => eks::detect(sources),
                Self::Ecs => ecs::detect(sources).await,
                Self::Ec2 => ec2::detect(sources).await,
            }
        };
        // The limit for all requests of a detector together. Each request has the same limit for itself, but ECS and
        // EC2 need two.
        let timed_out = || Err(Problem(format!("no answer within {:?}", sources.time)));
        timeout(sources.time, detected).await.unwrap_or_else(|_| timed_out())
    }
}

/// The detection of a recorder's origin. Its task ends with the result, and is started again if it dies before.
pub(crate) struct Detection {
    is_done: Arc<AtomicBool>,
    worker: PerProcess<Worker>,
}

impl Detection {
    /// Starts to detect the origin, which is added to `given` and stored in `detected`.
    pub(super) fn start(
        detectors: Vec<Detector>,
        given: Option<Origin>,
        detected: Arc<OnceCell<Origin>>,
        background: Arc<Background>,
        counters: Arc<Counters>,
    ) -> Self {
        let is_done = Arc::<AtomicBool>::default();
        let done = Arc::clone(&is_done);
        // On the caller's thread: the program may change its environment later, and no other thread may read it
        // meanwhile.
        let sources = Sources::of_environment();
        let detect = move || -> Task {
            let (detectors, sources, counters) = (detectors.clone(), sources.clone(), Arc::clone(&counters));
            let (given, detected, done) = (given.clone(), Arc::clone(&detected), Arc::clone(&done));
            Box::pin(async move {
                let found = find(detectors, &sources, &counters).await;
                // The origin given in code comes first: the program knows better.
                if let Some(origin) = given.into_iter().chain(found).reduce(|origin, next| origin.or(&next)) {
                    let _ = detected.set(origin);
                }
                done.store(true, Ordering::Relaxed);
            })
        };
        let detect = Arc::new(detect);
        let worker = PerProcess::new(move || {
            let detect = Arc::clone(&detect);
            Worker::until_finished(Arc::clone(&background), move || detect(), |_| ())
        });
        let detection = Self { is_done, worker };
        detection.ensure_running();
        detection
    }

    /// Starts the detection again if it has not finished and does not run.
    #[inline]
    pub(super) fn ensure_running(&self) {
        if !self.is_done.load(Ordering::Relaxed) {
            self.worker.get().ensure_running();
        }
    }
}

/// Runs all detectors at once; returns what they found, the most specific resource first.
async fn find(
    detectors: Vec<Detector>,
    sources: &Sources,
    counters: &Counters,
) -> impl Iterator<Item = Origin> + use<> {
    let mut running = JoinSet::new();
    for detector in detectors {
        let sources = sources.clone();
        running.spawn(async move { (detector, detector.detect(&sources).await) });
    }
    // Sorted by detector, because they finish in any order.
    let mut found = BTreeMap::new();
    while let Some(finished) = running.join_next().await {
        match finished {
            Ok((detector, Ok(Some(origin)))) => drop(found.insert(detector, origin)),
            Ok((detector, Ok(None))) => log_line!(Debug, "xray::origin", "the program does not run on {detector:?}"),
            Ok((detector, Err(problem))) => {
                counters.origin_failures.increment();
                log_line!(Warn, "xray::origin", "cannot tell whether the program runs on {detector:?}: {problem}");
            }
            Err(panic) => log_line!(Error, "xray::origin", "a detector of the program's origin panicked: {panic}"),
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

    /// Returns sources with these files and without a metadata service.
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
    async fn elastic_beanstalk_is_detected_by_the_file_of_its_agent() {
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
        // A file of the largest size, and one that is a byte longer.
        for (bytes, is_read) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
            let mut conf = br#"{"deployment_id": 32}"#.to_vec();
            conf.resize(bytes, b' ');
            match detected(Detector::ElasticBeanstalk, &[(BEANSTALK, &conf)]).await {
                Ok(origin) => assert!(is_read && origin.is_some()),
                Err(problem) => assert!(!is_read && problem.0.ends_with("more than 65536 bytes"), "{problem}"),
            }
        }
        // A directory in the place of the file.
        let below = format!("{BEANSTALK}/file");
        assert!(detected(Detector::ElasticBeanstalk, &[(&below, b"")]).await.is_err());
    }

    fn token(claims: &str) -> Vec<u8> {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl\n", BASE64_URL_SAFE_NO_PAD.encode(claims)).into_bytes()
    }

    #[tokio::test]
    async fn eks_is_detected_by_the_issuer_of_the_service_account_token() {
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
    async fn the_most_specific_resource_gives_the_type_and_all_add_their_keys() {
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
    fn the_container_id_is_read_from_the_control_group() {
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
