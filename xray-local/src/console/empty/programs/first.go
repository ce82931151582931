package main

import (
	"context"

	"github.com/aws/aws-xray-sdk-go/xray"
)

func main() {
	ctx, segment := xray.BeginSegment(context.Background(), "first")
	ctx, subsegment := xray.BeginSubsegment(ctx, "work")
	xray.AddAnnotation(ctx, "tier", "gold")
	subsegment.Close(nil)
	segment.Close(nil)
}
