//! Tables of the fields that X-Ray knows, and the shapes of their values.
//!
//! Sources: the X-Ray developer guide, "Segment documents"; the published schema v1.0.0; and fields of newer SDKs that
//! X-Ray keeps.

/// The shape that a value must have.
pub(super) enum Shape {
    /// `true` or `false`.
    Flag,
    /// A string with at most this many characters.
    Text(usize),
    /// An integer not less than this one.
    Integer(i64),
    /// 16 hexadecimal digits.
    EntityId,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An array with at most this many elements of a shape.
    List(&'static Shape, usize),
    /// A trace id.
    TraceId,
    /// An object with no other fields than these.
    Object(Fields),
    /// Like `Object`, but the named fields must be present.
    Required(Fields, &'static [&'static str]),
    /// An object with these fields and any others.
    OpenObject(Fields),
    /// The `annotations` block: an object whose values are strings, numbers or booleans.
    Annotations,
    /// The `metadata` block: an object whose values are objects, one per namespace.
    Metadata,
    /// The `cause` block: the id of an exception, or an object with exceptions.
    Cause,
    /// A value that `entity.rs` checks, such as the id.
    CheckedElsewhere,
}

/// The fields of an object.
pub(super) type Fields = &'static [(&'static str, Shape)];

/// The fields of both segments and subsegments.
pub(super) const ENTITY: Fields = &[
    ("name", Shape::CheckedElsewhere),
    ("id", Shape::CheckedElsewhere),
    ("trace_id", Shape::CheckedElsewhere),
    ("start_time", Shape::CheckedElsewhere),
    ("end_time", Shape::CheckedElsewhere),
    ("in_progress", Shape::CheckedElsewhere),
    ("subsegments", Shape::CheckedElsewhere),
    ("type", Shape::CheckedElsewhere),
    ("parent_id", Shape::EntityId),
    ("error", Shape::Flag),
    ("throttle", Shape::Flag),
    ("fault", Shape::Flag),
    ("cause", Shape::Cause),
    ("annotations", Shape::Annotations),
    ("metadata", Shape::Metadata),
    // The guide shows links of segments. Subsegments of a Lambda function have them too: its segment is Lambda's own.
    ("links", Shape::List(&Shape::Required(LINK, &["trace_id", "id"]), 20)),
];

/// The fields of segments only.
pub(super) const SEGMENT: Fields = &[
    ("user", TEXT),
    ("origin", LONG_TEXT),
    ("resource_arn", LONG_TEXT),
    ("service", Shape::Object(SERVICE)),
    ("http", Shape::Object(&[("request", Shape::Object(SEGMENT_REQUEST)), ("response", Shape::Object(RESPONSE))])),
    ("aws", Shape::OpenObject(SEGMENT_AWS)),
];

/// The fields of subsegments only.
pub(super) const SUBSEGMENT: Fields = &[
    ("namespace", Shape::CheckedElsewhere),
    ("http", Shape::Object(&[("request", Shape::Object(SUBSEGMENT_REQUEST)), ("response", Shape::Object(RESPONSE))])),
    ("aws", Shape::OpenObject(SUBSEGMENT_AWS)),
    ("sql", Shape::Object(SQL)),
    ("precursor_ids", Shape::List(&Shape::EntityId, usize::MAX)),
    ("traced", Shape::Flag),
];

/// Returns the shape of a known field.
pub(super) fn shape_of(name: &str, fields: Fields) -> Option<&'static Shape> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, shape)| shape)
}

/// The fields of a `cause` that is an object.
pub(super) const EXCEPTIONS: Fields = &[
    ("working_directory", LONG_TEXT),
    ("paths", Shape::List(&LONG_TEXT, usize::MAX)),
    ("exceptions", Shape::List(&Shape::Required(EXCEPTION, &["id"]), usize::MAX)),
];

/// A string with the developer guide's default limit.
const TEXT: Shape = Shape::Text(250);
/// A string without a documented limit.
const LONG_TEXT: Shape = Shape::Text(usize::MAX);

const EXCEPTION: Fields = &[
    ("id", Shape::EntityId),
    ("message", LONG_TEXT),
    ("type", LONG_TEXT),
    ("remote", Shape::Flag),
    ("truncated", Shape::Integer(0)),
    ("skipped", Shape::Integer(0)),
    ("cause", Shape::EntityId),
    ("stack", Shape::List(&Shape::Object(STACK_FRAME), usize::MAX)),
];

const STACK_FRAME: Fields = &[("path", LONG_TEXT), ("line", Shape::Integer(i64::MIN)), ("label", LONG_TEXT)];

const LINK: Fields = &[("trace_id", Shape::TraceId), ("id", Shape::EntityId), ("attributes", Shape::OpenObject(&[]))];

const SERVICE: Fields = &[
    ("version", LONG_TEXT),
    ("runtime", LONG_TEXT),
    ("runtime_version", LONG_TEXT),
    ("compiler", LONG_TEXT),
    ("compiler_version", LONG_TEXT),
];

/// The `http.request` block of a segment: the request that the service answers.
const SEGMENT_REQUEST: Fields =
    &[("method", TEXT), ("url", TEXT), ("user_agent", TEXT), ("client_ip", TEXT), ("x_forwarded_for", Shape::Flag)];

/// The `http.request` block of a subsegment: the request that the service sends.
const SUBSEGMENT_REQUEST: Fields =
    &[("method", TEXT), ("url", TEXT), ("user_agent", TEXT), ("client_ip", TEXT), ("traced", Shape::Flag)];

/// The `http.response` block. Some SDKs send a content length of -1 for an unknown length.
const RESPONSE: Fields = &[("status", Shape::Integer(i64::MIN)), ("content_length", Shape::Integer(-1))];

const SQL: Fields = &[
    ("connection_string", LONG_TEXT),
    ("url", LONG_TEXT),
    ("sanitized_query", LONG_TEXT),
    ("database_type", LONG_TEXT),
    ("database_version", LONG_TEXT),
    ("driver_version", LONG_TEXT),
    ("user", TEXT),
    ("preparation", Shape::OneOf(&["statement", "call"])),
];

/// The `aws` block of a segment: where the service runs. AWS services add further keys.
const SEGMENT_AWS: Fields = &[
    ("account_id", LONG_TEXT),
    ("cloudwatch_logs", Shape::List(&Shape::Object(&[("log_group", LONG_TEXT), ("arn", LONG_TEXT)]), usize::MAX)),
    (
        "ec2",
        Shape::Object(&[
            ("instance_id", LONG_TEXT),
            ("instance_size", LONG_TEXT),
            ("ami_id", LONG_TEXT),
            ("availability_zone", LONG_TEXT),
        ]),
    ),
    (
        "ecs",
        Shape::Object(&[
            ("container", LONG_TEXT),
            ("container_id", LONG_TEXT),
            ("container_arn", LONG_TEXT),
            ("task_arn", LONG_TEXT),
            ("task_family", LONG_TEXT),
            ("cluster_arn", LONG_TEXT),
            ("availability_zone", LONG_TEXT),
            ("launch_type", LONG_TEXT),
        ]),
    ),
    ("eks", Shape::Object(&[("cluster_name", LONG_TEXT), ("pod", LONG_TEXT), ("container_id", LONG_TEXT)])),
    (
        "elastic_beanstalk",
        Shape::Object(&[
            ("environment_name", LONG_TEXT),
            ("version_label", LONG_TEXT),
            ("deployment_id", Shape::Integer(i64::MIN)),
        ]),
    ),
    (
        "xray",
        Shape::Object(&[
            ("sdk", LONG_TEXT),
            ("sdk_version", LONG_TEXT),
            ("auto_instrumentation", Shape::Flag),
            ("sampling_rule_name", Shape::Text(32)),
        ]),
    ),
    // The older name of `xray`.
    ("tracing", Shape::OpenObject(&[("sdk", LONG_TEXT)])),
];

/// The `aws` block of a subsegment: the AWS call. SDKs add parameters of the call.
const SUBSEGMENT_AWS: Fields = &[
    ("operation", LONG_TEXT),
    ("account_id", LONG_TEXT),
    ("region", LONG_TEXT),
    ("request_id", LONG_TEXT),
    ("id_2", LONG_TEXT),
    ("queue_url", LONG_TEXT),
    ("table_name", LONG_TEXT),
    ("table_names", Shape::List(&LONG_TEXT, usize::MAX)),
    ("bucket_name", LONG_TEXT),
    ("key", LONG_TEXT),
    ("topic_arn", LONG_TEXT),
    ("function_name", LONG_TEXT),
    ("resource_names", Shape::List(&LONG_TEXT, usize::MAX)),
    ("retries", Shape::Integer(0)),
];
