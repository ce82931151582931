"""The operations of `tests/it/moto.rs` by boto3, traced by the X-Ray SDK for Python. Creates what they need first.

Arguments: the URL of moto.
"""

import sys

import boto3
from aws_xray_sdk.core import patch, xray_recorder
from botocore.exceptions import ClientError


def client(service):
    return boto3.client(
        service,
        endpoint_url=sys.argv[1],
        region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="SECRETEXAMPLE",
    )


dynamodb, s3, sqs, sns, functions = map(client, ("dynamodb", "s3", "sqs", "sns", "lambda"))
key = {"AttributeName": "id", "KeyType": "HASH"}
dynamodb.create_table(
    TableName="orders",
    KeySchema=[key],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
topic = sns.create_topic(Name="news")["TopicArn"]
print(queue)
print(topic)

patch(("boto3",))
xray_recorder.configure(service="python", sampling=False)


def fails(operation, **parameters):
    try:
        operation(**parameters)
    except ClientError:
        return
    raise AssertionError("no error")


item = {"id": {"S": "1"}}
with xray_recorder.in_segment("python"):
    dynamodb.put_item(TableName="orders", Item=item)
    dynamodb.get_item(TableName="orders", Key=item, ConsistentRead=True)
    dynamodb.scan(TableName="orders", Limit=5)
    fails(dynamodb.put_item, TableName="orders", Item=item, ConditionExpression="attribute_not_exists(id)")
    fails(dynamodb.get_item, TableName="missing", Key=item)
    s3.put_object(Bucket="photos", Key="a b.jpg", Body=b"picture")
    s3.get_object(Bucket="photos", Key="a b.jpg")
    s3.list_objects_v2(Bucket="photos", Prefix="a")
    fails(s3.get_object, Bucket="photos", Key="missing")
    sqs.send_message(QueueUrl=queue, MessageBody="text", DelaySeconds=0)
    sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    sns.publish(TopicArn=topic, Message="text")
    fails(functions.invoke, FunctionName="missing")
