from aws_xray_sdk.core import xray_recorder

with xray_recorder.in_segment("first"):
    with xray_recorder.in_subsegment("work") as subsegment:
        subsegment.put_annotation("tier", "gold")
