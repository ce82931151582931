//! An origin that is set in code.

use std::time::Duration;

use serde_json::json;
use xray::emitter::MemoryEmitter;
use xray::origin::Origin;
use xray::{Recorder, RecorderBuilder, Segment};

use support::Always;
use support::documents::checked;

fn recorder(settings: RecorderBuilder) -> (Recorder, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    let recorder = settings.origin(Origin::new("AWS::EC2::Instance").with_aws("ec2", json!({ "ami_id": "ami-1" })));
    (recorder.sampler(Always).emitter(emitter.clone()).build(), emitter)
}

#[test]
fn segments_name_it_and_subsegments_do_not() {
    let (recorder, emitter) = recorder(Recorder::builder().streaming_threshold(0));
    let segment = Segment::builder("todo-app").recorder(&recorder).begin();
    segment.subsegment("part").end();
    segment.end();
    let [part, segment] = &checked(emitter.take())[..] else { panic!("the part leaves by itself") };
    assert_eq!((&part.origin, &part.aws), (&None, &None));
    assert_eq!(segment.origin.as_deref(), Some("AWS::EC2::Instance"));
    let aws = segment.aws.as_ref().unwrap();
    assert_eq!((&aws.other["ec2"], aws.xray.is_some()), (&json!({ "ami_id": "ami-1" }), true));
}

#[test]
fn a_segment_in_progress_names_it_too() {
    let (recorder, emitter) = recorder(Recorder::builder().in_progress_after(Duration::from_millis(10)));
    let segment = Segment::builder("nightly-job").recorder(&recorder).begin();
    let mut told = Vec::new();
    while told.is_empty() {
        std::thread::sleep(Duration::from_millis(10));
        told.extend(emitter.take());
    }
    assert!(told[0].in_progress && told[0].origin.as_deref() == Some("AWS::EC2::Instance"));
    segment.end();
}

#[test]
fn what_a_segment_says_itself_stays() {
    let (recorder, emitter) = recorder(Recorder::builder());
    let segment = Segment::builder("todo-app").recorder(&recorder).begin();
    segment.add_aws("ec2", json!({ "ami_id": "ami-2", "instance_id": "i-2" }));
    segment.end();
    let document = checked(emitter.take()).remove(0);
    assert_eq!(document.aws.unwrap().other["ec2"], json!({ "ami_id": "ami-2", "instance_id": "i-2" }));
}

#[test]
fn what_x_ray_does_not_take_is_left_out() {
    let origin = Origin::new("o".repeat(1_000_000)).with_aws("xray", json!({ "sdk": "another" }));
    assert_eq!(origin.name().len(), 250);
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).origin(origin).build();
    Segment::builder("todo-app").recorder(&recorder).begin().end();
    let aws = checked(emitter.take()).remove(0).aws.unwrap();
    assert_eq!((aws.xray.unwrap().sdk.as_ref(), aws.other.len()), ("X-Ray for Rust", 0));
}
