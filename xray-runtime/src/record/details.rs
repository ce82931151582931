//! Data that few records have, and the limit on the memory of this data.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::embedded::Embedded;
use super::held;
use crate::document::{AnnotationValue, Aws, Cause, Link, Sql};
use crate::id::{SegmentId, TraceId};

/// Limit on the memory of the annotations, metadata, `aws` values and errors of one record.
// X-Ray accepts 64 kB of JSON for a document. In memory these take at most half a megabyte, except for values with very
// many small parts. Data beyond this limit would not fit into a document.
pub(super) const MAX_HELD_BYTES: usize = 2 * 1024 * 1024;

/// The rare data of a [`Record`](super::Record).
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    /// The client of the request that a segment serves.
    pub(crate) client: ClientData,
    pub(crate) cause: Option<Cause>,
    pub(crate) aws: Option<Box<Aws>>,
    pub(crate) sql: Option<Box<Sql>>,
    pub(crate) user: Option<String>,
    pub(crate) origin: Option<Cow<'static, str>>,
    pub(crate) annotations: BTreeMap<String, AnnotationValue>,
    pub(crate) metadata: BTreeMap<String, Map<String, Value>>,
    pub(crate) links: Vec<Link>,
    pub(super) subsegments: Embedded,
    /// The memory of the annotations, metadata, `aws` values and errors.
    pub(super) held: usize,
    /// `true` if the record was sent with `in_progress`.
    pub(super) was_sent_in_progress: bool,
}

/// The client of a request that a segment serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientData {
    pub(crate) user_agent: Option<String>,
    pub(crate) client_ip: Option<String>,
    /// `true` if the address is from an `X-Forwarded-For` header.
    pub(crate) x_forwarded_for: bool,
}

/// A value that was left out because the record has no room for it. Contains its key.
#[derive(Debug)]
pub(crate) struct NoRoom(pub(crate) String);

impl Details {
    /// Adds an annotation. Returns whether its key is new.
    pub(crate) fn annotate(&mut self, mut key: String, value: AnnotationValue) -> Result<bool, NoRoom> {
        key.shrink_to_fit();
        let added = held::annotation_entry(&key, &value);
        let replaced = self.annotations.get(&key).map(|before| held::annotation_entry(&key, before));
        let key = self.charge(key, added, replaced)?;
        Ok(self.annotations.insert(key, value).is_none())
    }

    /// Adds a value to the metadata.
    pub(crate) fn add_metadata(&mut self, mut namespace: String, mut key: String, value: Value) -> Result<(), NoRoom> {
        namespace.shrink_to_fit();
        key.shrink_to_fit();
        let values = self.metadata.get(&namespace);
        let of_namespace = if values.is_none() { held::namespace_entry(&namespace) } else { 0 };
        let replaced = values.and_then(|values| values.get(&key)).map(|before| held::value_entry(&key, before));
        let added = held::value_entry(&key, &value) + of_namespace;
        let key = self.charge(key, added, replaced)?;
        self.metadata.entry(namespace).or_default().insert(key, value);
        Ok(())
    }

    /// Adds a value to the `aws` block.
    pub(crate) fn add_aws(&mut self, mut key: String, value: Value) -> Result<(), NoRoom> {
        key.shrink_to_fit();
        let aws = self.aws.as_ref();
        let replaced = aws.and_then(|aws| aws.other.get(&key)).map(|before| held::value_entry(&key, before));
        let added = held::value_entry(&key, &value);
        let key = self.charge(key, added, replaced)?;
        self.aws.get_or_insert_default().other.insert(key, value);
        Ok(())
    }

    /// Adds a link, if `count` returns `true` for a further link of the trace. Returns `false` if the record or the
    /// trace has as many links as X-Ray accepts.
    pub(crate) fn add_link(&mut self, trace_id: TraceId, id: SegmentId, count: impl FnOnce() -> bool) -> bool {
        // (Developer guide, "Tracing event-driven applications".)
        const MAX_LINKS: usize = 20;
        let link = Link { trace_id, id };
        if self.links.contains(&link) {
            return true;
        }
        let has_room = self.links.len() < MAX_LINKS && count();
        if has_room {
            self.links.push(link);
        }
        has_room
    }

    /// Counts the memory of a new entry for `key`, and no longer counts the memory of the replaced entry. Returns the
    /// key.
    fn charge(&mut self, key: String, added: usize, replaced: Option<usize>) -> Result<String, NoRoom> {
        let held = self.held.saturating_sub(replaced.unwrap_or(0)).saturating_add(added);
        if held > MAX_HELD_BYTES {
            return Err(NoRoom(key));
        }
        self.held = held;
        Ok(key)
    }
}
