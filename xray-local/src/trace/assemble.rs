//! Documents in any order, one tree out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;

use serde_json::Value;

use crate::document::{Document, Kind};

/// How deep subsegments are embedded; what is deeper stands beside its parent, which it names. Readers of JSON and
/// recursive code are safe with it.
const MAX_DEPTH: usize = 50;

/// The segments, with all that belongs to them embedded, by start; and as orphans the subsegments that belong to none.
pub(super) fn assemble(trace_id: &str, documents: impl IntoIterator<Item = Document>) -> Vec<Document> {
    let entities = merged(documents);
    let tree = Tree::of(&entities);
    let mut slots: Vec<Option<Document>> = entities.into_iter().map(Some).collect();
    let mut top = Vec::new();
    // Children come after their parents in this order, so each is complete when it is moved into its own.
    for index in tree.order.into_iter().rev() {
        let Some(mut document) = slots[index].take() else { continue };
        sort(&mut document.subsegments);
        trace_id.clone_into(&mut document.trace_id);
        if let Some(parent) = tree.embedded_in[index].and_then(|parent| slots[parent].as_mut()) {
            embed(&mut document, &parent.id);
            parent.subsegments.push(document);
        } else {
            stand_alone(&mut document, trace_id);
            top.push(document);
        }
    }
    sort(&mut top);
    top
}

/// Each entity once, without children: a complete version before one in progress, else the later one.
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

/// Which entity is embedded in which, by their indices.
struct Tree {
    /// All of them, parents before their children.
    order: Vec<usize>,
    embedded_in: Vec<Option<usize>>,
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
        let mut tree = Self { order: Vec::with_capacity(entities.len()), embedded_in: vec![None; entities.len()] };
        let mut is_placed = vec![false; entities.len()];
        let mut place_below = |root: usize, is_placed: &mut [bool]| {
            let mut waiting = vec![(root, 0)];
            while let Some((index, depth)) = waiting.pop() {
                is_placed[index] = true;
                tree.order.push(index);
                let is_deepest = depth == MAX_DEPTH;
                // The root of a circle is the child of one of its members.
                for &child in children[index].iter().filter(|child| **child != root) {
                    tree.embedded_in[child] = if is_deepest { tree.embedded_in[index] } else { Some(index) };
                    waiting.push((child, if is_deepest { depth } else { depth + 1 }));
                }
            }
        };
        for root in (0..entities.len()).filter(|index| parents[*index].is_none()) {
            place_below(root, &mut is_placed);
        }
        // What no root leads to is a circle of parents, or below one.
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

/// The members of the circle to which the parents of an entity lead.
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

/// The parent of each subsegment, where the trace has it.
fn parents(entities: &[Document]) -> Vec<Option<usize>> {
    let mut by_id = HashMap::<&str, usize>::new();
    for (index, entity) in entities.iter().enumerate() {
        // Should a segment and a subsegment have the same id, then the segment is meant.
        if entity.kind == Kind::Segment || !by_id.contains_key(entity.id.as_str()) {
            by_id.insert(&entity.id, index);
        }
    }
    let parent_of = |entity: &Document| by_id.get(entity.parent_id.as_deref()?).copied();
    entities.iter().map(|entity| (entity.kind == Kind::Subsegment).then(|| parent_of(entity)).flatten()).collect()
}

/// Leaves out what an embedded document says by its place.
fn embed(document: &mut Document, parent: &str) {
    document.raw.remove("trace_id");
    document.raw.remove("type");
    if document.parent_id.as_deref() == Some(parent) {
        document.raw.remove("parent_id");
    } else if let Some(parent) = &document.parent_id {
        document.raw.insert("parent_id".to_owned(), parent.as_str().into());
    }
}

/// Says all that a document without a place has to say.
fn stand_alone(document: &mut Document, trace_id: &str) {
    document.raw.insert("trace_id".to_owned(), trace_id.into());
    if document.kind == Kind::Subsegment {
        document.orphan = true;
        document.raw.insert("type".to_owned(), "subsegment".into());
        document.raw.insert("parent_id".to_owned(), document.parent_id.clone().map_or(Value::Null, Value::from));
        document.raw.retain(|_, value| !value.is_null());
    }
}

fn sort(documents: &mut [Document]) {
    documents.sort_by(order);
}

fn order(a: &Document, b: &Document) -> std::cmp::Ordering {
    let order = a.start_time.total_cmp(&b.start_time).then_with(|| a.id.cmp(&b.id));
    order.then_with(|| (a.kind as u8).cmp(&(b.kind as u8)))
}
