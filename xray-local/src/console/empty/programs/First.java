import com.amazonaws.xray.AWSXRay;

public class First {
    public static void main(String[] arguments) {
        AWSXRay.beginSegment("first");
        AWSXRay.beginSubsegment("work").putAnnotation("tier", "gold");
        AWSXRay.endSubsegment();
        AWSXRay.endSegment();
    }
}
