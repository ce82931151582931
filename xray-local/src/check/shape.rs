//! What stands where in a document: the fields that X-Ray knows, as tables. (X-Ray developer guide, "Segment documents";
//! the published schema v1.0.0; what newer SDKs send and X-Ray keeps.)

/// What a value has to be.
pub(super) enum Shape {
    /// `true` or `false`.
    Flag,
    /// A string of at most so many characters.
    Text(usize),
    /// A whole number from this one on.
    Integer(i64),
    /// 16 hexadecimal digits.
    EntityId,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// At most so many of a shape.
    List(&'static Shape, usize),
    /// A trace's id.
    TraceId,
    /// An object of these fields alone.
    Object(Fields),
    /// The same, in which the named ones may not be absent.
    Required(Fields, &'static [&'static str]),
    /// An object of these fields and others.
    OpenObject(Fields),
    /// Keys, and values that are a string, a number or a flag.
    Annotations,
    /// Namespaces, each an object.
    Metadata,
    /// The id of an exception, or exceptions.
    Cause,
    /// What is looked at by itself, such as the id.
    Special,
}

/// The fields of an object.
pub(super) type Fields = &'static [(&'static str, Shape)];

/// Of a segment and of a subsegment.
pub(super) const ENTITY: Fields = &[
    ("name", Shape::Special),
    ("id", Shape::Special),
    ("trace_id", Shape::Special),
    ("start_time", Shape::Special),
    ("end_time", Shape::Special),
    ("in_progress", Shape::Special),
    ("subsegments", Shape::Special),
    ("type", Shape::Special),
    ("parent_id", Shape::EntityId),
    ("error", Shape::Flag),
    ("throttle", Shape::Flag),
    ("fault", Shape::Flag),
    ("cause", Shape::Cause),
    ("annotations", Shape::Annotations),
    ("metadata", Shape::Metadata),
];

/// Of a segment besides.
pub(super) const SEGMENT: Fields = &[
    ("user", TEXT),
    ("origin", LONG_TEXT),
    ("resource_arn", LONG_TEXT),
    ("service", Shape::Object(SERVICE)),
    ("http", Shape::Object(&[("request", Shape::Object(SERVED_REQUEST)), ("response", Shape::Object(RESPONSE))])),
    ("aws", Shape::OpenObject(RUNS_ON)),
    ("links", Shape::List(&Shape::Required(LINK, &["trace_id", "id"]), 20)),
];

/// Of a subsegment besides, embedded or by itself.
pub(super) const SUBSEGMENT: Fields = &[
    ("namespace", Shape::Special),
    ("http", Shape::Object(&[("request", Shape::Object(MADE_REQUEST)), ("response", Shape::Object(RESPONSE))])),
    ("aws", Shape::OpenObject(CALLS)),
    ("sql", Shape::Object(SQL)),
    ("precursor_ids", Shape::List(&Shape::EntityId, usize::MAX)),
    ("traced", Shape::Flag),
];

/// The shape of a field, if it is known.
pub(super) fn shape_of(name: &str, fields: Fields) -> Option<&'static Shape> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, shape)| shape)
}

/// Of a `cause` that is an object.
pub(super) const EXCEPTIONS: Fields = &[
    ("working_directory", LONG_TEXT),
    ("paths", Shape::List(&LONG_TEXT, usize::MAX)),
    ("exceptions", Shape::List(&Shape::Required(EXCEPTION, &["id"]), usize::MAX)),
];

/// A string as the guide allows it where it says nothing else.
const TEXT: Shape = Shape::Text(250);
/// A string for which no limit is known.
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

const SERVED_REQUEST: Fields =
    &[("method", TEXT), ("url", TEXT), ("user_agent", TEXT), ("client_ip", TEXT), ("x_forwarded_for", Shape::Flag)];

const MADE_REQUEST: Fields =
    &[("method", TEXT), ("url", TEXT), ("user_agent", TEXT), ("client_ip", TEXT), ("traced", Shape::Flag)];

/// A length of -1 is how some SDKs say that they do not know.
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

/// The `aws` block of a segment. Services add keys of their own.
const RUNS_ON: Fields = &[
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
    // The old name of the block above.
    ("tracing", Shape::OpenObject(&[("sdk", LONG_TEXT)])),
];

/// The `aws` block of a subsegment. SDKs add the parameters of the call.
const CALLS: Fields = &[
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
