const AWSXRay = require("aws-xray-sdk-core");

const segment = new AWSXRay.Segment("first");
const subsegment = segment.addNewSubsegment("work");
subsegment.addAnnotation("tier", "gold");
subsegment.close();
segment.close();
