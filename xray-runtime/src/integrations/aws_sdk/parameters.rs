//! The parameters that are recorded of each operation: the list of the other X-Ray SDKs, without values that may be
//! secret.
//!
//! (`aws_para_whitelist.json` of the X-Ray SDK for Python; those for Node and Go have the same rows.) That list also
//! has `ItemCollectionMetrics` of `DynamoDB`, which contains keys of items, and the attributes of SQS queues, which
//! contain policies. Of such values at most the names or the number are recorded.

use serde_json::Value;

/// Keys and values of the `aws` block of a subsegment.
//
// A list is enough: there are few keys, all of them differ, and they are inserted into the map of the record once.
pub(super) type Parameters = Vec<(&'static str, Value)>;

/// The part of a value that is recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Extract {
    Whole,
    /// The keys of a map.
    Keys,
    /// The length of a list.
    Count,
}

/// A parameter of a request or a response.
#[derive(Debug)]
pub(super) struct Parameter {
    /// The name in the service's protocol.
    pub(super) name: &'static str,
    pub(super) extract: Extract,
    /// The key in the `aws` block.
    pub(super) key: &'static str,
}

/// The parameters of an operation.
#[derive(Debug)]
pub(super) struct Operation {
    service: &'static str,
    names: &'static [&'static str],
    pub(super) request: &'static [Parameter],
    pub(super) response: &'static [Parameter],
}

/// Returns the parameters of the operation, or `None` if the list lacks the operation.
pub(super) fn of(service: &str, operation: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|row| row.service == service && row.names.contains(&operation))
}

const fn value(name: &'static str, key: &'static str) -> Parameter {
    Parameter { name, extract: Extract::Whole, key }
}

const fn keys(name: &'static str, key: &'static str) -> Parameter {
    Parameter { name, extract: Extract::Keys, key }
}

const fn count(name: &'static str, key: &'static str) -> Parameter {
    Parameter { name, extract: Extract::Count, key }
}

const fn row(
    service: &'static str,
    names: &'static [&'static str],
    request: &'static [Parameter],
    response: &'static [Parameter],
) -> Operation {
    Operation { service, names, request, response }
}

const DYNAMODB: &str = "DynamoDB";
const SNS: &str = "SNS";
const SQS: &str = "SQS";

const TABLE: Parameter = value("TableName", "table_name");
const TABLES: Parameter = keys("RequestItems", "table_names");
const CAPACITY: Parameter = value("ConsumedCapacity", "consumed_capacity");
const THROUGHPUT: Parameter = value("ProvisionedThroughput", "provisioned_throughput");
const CONSISTENT_READ: Parameter = value("ConsistentRead", "consistent_read");
const PROJECTION: Parameter = value("ProjectionExpression", "projection_expression");
const ATTRIBUTES_TO_GET: Parameter = value("AttributesToGet", "attributes_to_get");
const INDEX: Parameter = value("IndexName", "index_name");
const LIMIT: Parameter = value("Limit", "limit");
const SELECT: Parameter = value("Select", "select");
const QUEUE: Parameter = value("QueueUrl", "queue_url");
const VISIBILITY: Parameter = value("VisibilityTimeout", "visibility_timeout");
const FAILED: Parameter = count("Failed", "failed_count");
const SUCCESSFUL: Parameter = count("Successful", "successful_count");
const TOPIC: Parameter = value("TopicArn", "topic_arn");

// The services have the names that the SDK gives them.
const OPERATIONS: &[Operation] = &[
    row(DYNAMODB, &["BatchGetItem", "BatchWriteItem"], &[TABLES], &[CAPACITY]),
    row(
        DYNAMODB,
        &["CreateTable"],
        &[
            TABLE,
            THROUGHPUT,
            value("GlobalSecondaryIndexes", "global_secondary_indexes"),
            value("LocalSecondaryIndexes", "local_secondary_indexes"),
        ],
        &[],
    ),
    row(DYNAMODB, &["DeleteTable", "DescribeTable"], &[TABLE], &[]),
    row(DYNAMODB, &["DeleteItem", "PutItem", "UpdateItem"], &[TABLE], &[CAPACITY]),
    row(DYNAMODB, &["GetItem"], &[TABLE, CONSISTENT_READ, PROJECTION], &[CAPACITY]),
    row(
        DYNAMODB,
        &["ListTables"],
        &[value("ExclusiveStartTableName", "exclusive_start_table_name"), LIMIT],
        &[count("TableNames", "table_count")],
    ),
    row(
        DYNAMODB,
        &["Query"],
        &[
            TABLE,
            ATTRIBUTES_TO_GET,
            CONSISTENT_READ,
            INDEX,
            LIMIT,
            PROJECTION,
            value("ScanIndexForward", "scan_index_forward"),
            SELECT,
        ],
        &[CAPACITY],
    ),
    row(
        DYNAMODB,
        &["Scan"],
        &[
            TABLE,
            ATTRIBUTES_TO_GET,
            CONSISTENT_READ,
            INDEX,
            LIMIT,
            PROJECTION,
            value("Segment", "segment"),
            SELECT,
            value("TotalSegments", "total_segments"),
        ],
        &[CAPACITY, value("Count", "count"), value("ScannedCount", "scanned_count")],
    ),
    row(
        DYNAMODB,
        &["UpdateTable"],
        &[
            TABLE,
            THROUGHPUT,
            value("AttributeDefinitions", "attribute_definitions"),
            value("GlobalSecondaryIndexUpdates", "global_secondary_index_updates"),
        ],
        &[],
    ),
    row(SNS, &["Publish", "PublishBatch"], &[TOPIC], &[]),
    row(SQS, &["AddPermission"], &[QUEUE, value("Label", "label")], &[]),
    row(SQS, &["ChangeMessageVisibility"], &[QUEUE, VISIBILITY], &[]),
    row(SQS, &["ChangeMessageVisibilityBatch", "DeleteMessageBatch"], &[QUEUE], &[FAILED]),
    row(SQS, &["CreateQueue"], &[value("QueueName", "queue_name"), keys("Attributes", "attribute_names")], &[]),
    row(SQS, &["DeleteMessage", "DeleteQueue", "GetQueueAttributes", "PurgeQueue", "RemovePermission"], &[QUEUE], &[]),
    row(
        SQS,
        &["GetQueueUrl"],
        &[value("QueueName", "queue_name"), value("QueueOwnerAWSAccountId", "queue_owner_aws_account_id")],
        &[QUEUE],
    ),
    row(SQS, &["ListDeadLetterSourceQueues"], &[QUEUE], &[value("queueUrls", "queue_urls")]),
    row(SQS, &["ListQueues"], &[value("QueueNamePrefix", "queue_name_prefix")], &[count("QueueUrls", "queue_count")]),
    row(
        SQS,
        &["ReceiveMessage"],
        &[
            QUEUE,
            VISIBILITY,
            value("AttributeNames", "attribute_names"),
            value("MaxNumberOfMessages", "max_number_of_messages"),
            value("MessageAttributeNames", "message_attribute_names"),
            value("WaitTimeSeconds", "wait_time_seconds"),
        ],
        &[count("Messages", "message_count")],
    ),
    row(
        SQS,
        &["SendMessage"],
        &[QUEUE, value("DelaySeconds", "delay_seconds"), keys("MessageAttributes", "message_attribute_names")],
        &[value("MessageId", "message_id")],
    ),
    row(SQS, &["SendMessageBatch"], &[QUEUE, count("Entries", "message_count")], &[FAILED, SUCCESSFUL]),
    row(SQS, &["SetQueueAttributes"], &[QUEUE, keys("Attributes", "attribute_names")], &[]),
];
