//! Assembles the segments of a trace from documents in any order.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::mem;

use serde_json::{Map, Value};

use crate::document::{Document, Kind};

/// The deepest level at which subsegments are embedded. A deeper subsegment is placed beside its parent and keeps its
/// `parent_id`. The limit protects recursive code.
const MAX_DEPTH: usize = 50;

/// The most levels of JSON in a segment with its subsegments. A subsegment with deep metadata is placed farther up, and
/// keeps its `parent_id`. Many readers of JSON, such as `serde_json`, refuse 128 levels, and the segment may be
/// part of another JSON value.
const MAX_JSON_DEPTH: usize = 120;

/// Returns the segments with their subsegments embedded, and the subsegments without a parent as orphans, ordered by
/// start.
pub(super) fn assemble(trace_id: &str, documents: impl IntoIterator<Item = Document>) -> Vec<Document> {
    let entities = merged(documents);
    let tree = Tree::of(&entities);
    let mut slots: Vec<Option<Document>> = entities.into_iter().map(Some).collect();
    let mut top = Vec::new();
    // `order` lists parents before children. In reverse, each entity has received its children before it moves into its
    // own parent.
    for index in tree.order.into_iter().rev() {
        let Some(mut document) = slots[index].take() else { continue };
        sort(&mut document.subsegments);
        trace_id.clone_into(&mut document.trace_id);
        if let Some(parent) = tree.embedded_in[index].and_then(|parent| slots[parent].as_mut()) {
            embed(&mut document, &parent.id);
            parent.subsegments.push(document);
        } else {
            stand_alone(&mut document, trace_id);
            document.orphan &= !tree.too_deep.contains(&index);
            top.push(document);
        }
    }
    sort(&mut top);
    top
}

/// Returns each entity once, without its children. A complete version replaces one in progress, and otherwise a later
/// version replaces an earlier one.
fn merged(documents: impl IntoIterator<Item = Document>) -> Vec<Document> {
    let mut entities = Vec::<Document>::new();
    let mut known = HashMap::<(Kind, String), usize>::new();
    for document in documents {
        let mut waiting = vec![document];
        while let Some(mut entity) = waiting.pop() {
            waiting.append(&mut mem::take(&mut entity.subsegments));
            match known.entry((entity.kind, entity.id.clone())) {
                Entry::Vacant(place) => {
                    place.insert(entities.len());
                    entities.push(entity);
                }
                Entry::Occupied(place) => {
                    let version = &mut entities[*place.get()];
                    if !entity.in_progress || version.in_progress {
                        *version = entity;
                    }
                }
            }
        }
    }
    entities
}

/// The tree of the entities, by their indices.
struct Tree {
    /// All entities, parents before their children.
    order: Vec<usize>,
    /// For each entity, the entity to embed it in.
    embedded_in: Vec<Option<usize>>,
    /// The subsegments whose own fields are nested so deeply that no segment can contain them.
    too_deep: HashSet<usize>,
}

impl Tree {
    fn of(entities: &[Document]) -> Self {
        let parents = parents(entities);
        let mut children = vec![Vec::new(); entities.len()];
        for (child, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(child);
            }
        }
        let mut tree = Self {
            order: Vec::with_capacity(entities.len()),
            embedded_in: vec![None; entities.len()],
            too_deep: HashSet::new(),
        };
        let mut is_placed = vec![false; entities.len()];
        // The number of entities around each entity.
        let mut depths = vec![0; entities.len()];
        let mut place_below = |root: usize, is_placed: &mut [bool]| {
            let mut waiting = vec![root];
            while let Some(index) = waiting.pop() {
                is_placed[index] = true;
                tree.order.push(index);
                // In a circle of parents, the root is also the child of another member. Skipping it cuts the circle.
                for &child in children[index].iter().filter(|child| **child != root) {
                    let deepest = deepest_level(&entities[child]);
                    let mut place = Some(index);
                    while let Some(above) = place.filter(|place| depths[*place] >= deepest) {
                        place = tree.embedded_in[above];
                    }
                    match place {
                        Some(place) => depths[child] = depths[place] + 1,
                        None => _ = tree.too_deep.insert(child),
                    }
                    tree.embedded_in[child] = place;
                    waiting.push(child);
                }
            }
        };
        for root in (0..entities.len()).filter(|index| parents[*index].is_none()) {
            place_below(root, &mut is_placed);
        }
        // An entity that no root leads to is in a circle of parents, or below one. The earliest member becomes the
        // root.
        for index in 0..entities.len() {
            if !is_placed[index] {
                let circle = circle_above(index, &parents);
                if let Some(&root) = circle.iter().min_by(|a, b| order(&entities[**a], &entities[**b])) {
                    place_below(root, &mut is_placed);
                }
            }
        }
        tree
    }
}

/// Returns the deepest level at which a subsegment can be embedded. A level of subsegments takes two levels of JSON:
/// the list and the object.
fn deepest_level(subsegment: &Document) -> usize {
    MAX_DEPTH.min(MAX_JSON_DEPTH.saturating_sub(1 + fields_depth(&subsegment.raw)) / 2)
}

/// Returns how many levels of JSON the fields of a document take.
fn fields_depth(fields: &Map<String, Value>) -> usize {
    fields.values().map(value_depth).max().unwrap_or_default()
}

fn value_depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(value_depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields_depth(fields),
        _ => 0,
    }
}

/// Follows the parents of an entity and returns the members of the circle in which they end.
fn circle_above(index: usize, parents: &[Option<usize>]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut positions = HashMap::new();
    let mut next = Some(index);
    while let Some(index) = next {
        if let Some(&position) = positions.get(&index) {
            return path.split_off(position);
        }
        positions.insert(index, path.len());
        path.push(index);
        next = parents[index];
    }
    Vec::new()
}

/// Returns the index of each subsegment's parent, if the trace has it. Segments have no parent in the tree.
fn parents(entities: &[Document]) -> Vec<Option<usize>> {
    let mut by_id = HashMap::<&str, usize>::new();
    for (index, entity) in entities.iter().enumerate() {
        // If a segment and a subsegment have the same id, the id refers to the segment.
        if entity.kind == Kind::Segment || !by_id.contains_key(entity.id.as_str()) {
            by_id.insert(&entity.id, index);
        }
    }
    let parent_of = |entity: &Document| by_id.get(entity.parent_id.as_deref()?).copied();
    entities.iter().map(|entity| (entity.kind == Kind::Subsegment).then(|| parent_of(entity)).flatten()).collect()
}

/// Removes the fields of an embedded subsegment that follow from its position, and keeps a `parent_id` that does not.
fn embed(document: &mut Document, parent: &str) {
    document.raw.remove("trace_id");
    document.raw.remove("type");
    if document.parent_id.as_deref() == Some(parent) {
        document.raw.remove("parent_id");
    } else if let Some(parent) = &document.parent_id {
        document.raw.insert("parent_id".to_owned(), parent.as_str().into());
    }
}

/// Adds the fields that a document at the top of the trace needs.
fn stand_alone(document: &mut Document, trace_id: &str) {
    document.raw.insert("trace_id".to_owned(), trace_id.into());
    if document.kind == Kind::Subsegment {
        document.orphan = true;
        document.raw.insert("type".to_owned(), "subsegment".into());
        document.raw.insert("parent_id".to_owned(), document.parent_id.clone().map_or(Value::Null, Value::from));
        document.raw.retain(|_, value| !value.is_null());
    }
}

/// Sorts documents by start.
fn sort(documents: &mut [Document]) {
    documents.sort_by(order);
}

/// Compares two documents by start, then by id and kind, so that the order is the same in every run.
fn order(a: &Document, b: &Document) -> std::cmp::Ordering {
    let order = a.start_time.total_cmp(&b.start_time).then_with(|| a.id.cmp(&b.id));
    order.then_with(|| (a.kind as u8).cmp(&(b.kind as u8)))
}
