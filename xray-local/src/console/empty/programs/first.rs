fn main() {
    let segment = xray::Segment::builder("first").begin();
    let subsegment = segment.subsegment("work");
    subsegment.annotate("tier", "gold");
    subsegment.end();
    segment.end();
}
