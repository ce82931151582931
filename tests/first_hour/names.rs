//! The name of the service, from the environment and from code.

use support::Always;
use support::child::run_with;
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder, Segment, SegmentBuilder};

#[test]
fn the_name_in_the_environment_overrides_the_name_of_a_layer() {
    use support::documents::capture;
    use tower::{Layer as _, ServiceExt as _, service_fn};
    use xray::tower::SegmentLayer;

    async fn served(layer: SegmentLayer, recorder: &Recorder) {
        let service =
            service_fn(async |_: http::Request<String>| Ok::<_, std::io::Error>(http::Response::new(String::new())));
        let request = http::Request::get("http://a.example.com/").body(String::new()).unwrap();
        layer.recorder(recorder).layer(service).oneshot(request).await.unwrap();
    }

    let name = "the_name_in_the_environment_overrides_the_name_of_a_layer";
    run_with(module_path!(), name, &[("AWS_XRAY_TRACING_NAME", "renamed")], || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let emitter = MemoryEmitter::new();
            let recorder = Recorder::builder().sampler(Always).service_name("service").emitter(emitter.clone()).build();
            served(SegmentLayer::new("given"), &recorder).await;
            served(SegmentLayer::dynamic("*.example.com", "other"), &recorder).await;
            served(SegmentLayer::default(), &recorder).await;
            SegmentBuilder::default().recorder(&recorder).begin().end();
            Segment::builder("explicit").recorder(&recorder).begin().end();
            let names: Vec<_> = emitter.take().into_iter().map(|document| document.name).collect();
            assert_eq!(names, ["renamed", "renamed", "renamed", "renamed", "explicit"]);
            let ((), documents) = capture(async {}.in_segment("explicit")).await;
            assert_eq!(documents[0].name, "explicit");
        });
    });
}

#[tokio::test]
async fn without_a_name_a_layer_and_a_segment_take_the_name_of_the_service() {
    use tower::{Layer as _, ServiceExt as _, service_fn};
    use xray::tower::SegmentLayer;

    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).service_name("service").emitter(emitter.clone()).build();
    let service =
        service_fn(async |_: http::Request<String>| Ok::<_, std::io::Error>(http::Response::new(String::new())));
    let layer: SegmentLayer = SegmentLayer::default();
    let request = http::Request::get("/").body(String::new()).unwrap();
    layer.recorder(&recorder).layer(service).oneshot(request).await.unwrap();
    async {}.in_segment(SegmentBuilder::default().recorder(&recorder)).await;
    let names: Vec<_> = emitter.take().into_iter().map(|document| document.name).collect();
    assert_eq!(names, ["service", "service"]);
    assert_eq!(recorder.stats().values_rejected, 0);
}
