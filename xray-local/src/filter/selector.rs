//! Selectors of services and calls, for statistics over time.

use super::expression::Condition;
use super::facts::Facts;
use super::parser::parse;
use super::{FilterError, evaluate};
use crate::document::Document;
use crate::trace::Trace;

/// The selector of a service or of the calls between two services: `service("shop")`, or `edge("shop", "stock")`.
#[derive(Debug, Clone, PartialEq)]
pub struct EntitySelector {
    condition: Condition,
}

impl EntitySelector {
    /// Parses a selector.
    ///
    /// ```
    /// use xray_local::filter::EntitySelector;
    ///
    /// assert!(EntitySelector::parse(r#"service(id(name: "shop", type: "AWS::ECS::Container"))"#).is_ok());
    /// assert!(EntitySelector::parse(r#"edge("shop", "stock")"#).is_ok());
    /// assert!(EntitySelector::parse("fault").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is neither `service(..)` nor `edge(..)`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let condition = parse(text, &[])?;
        let is_selector = |inner: &Condition| matches!(inner, Condition::All(conditions) if conditions.is_empty());
        match &condition {
            Condition::Service(_, inner) | Condition::Edge(_, _, inner) if is_selector(inner) => Ok(Self { condition }),
            _ => Err(FilterError::at(1, "expected `service(..)` or `edge(.., ..)`, and nothing else".to_owned())),
        }
    }

    /// Returns whether the selector is `service(..)`.
    #[must_use]
    pub fn is_of_service(&self) -> bool {
        matches!(self.condition, Condition::Service(..))
    }

    /// Returns the segments of the service, or the calls between the services.
    #[must_use]
    pub fn select<'a>(&self, trace: &'a Trace) -> Vec<&'a Document> {
        let facts = Facts::new(trace);
        match &self.condition {
            Condition::Service(service, _) => facts
                .segments()
                .filter(|(segment, id)| service.matches(id, &segment.name))
                .map(|(segment, _)| segment)
                .collect(),
            Condition::Edge(from, to, _) => facts
                .calls()
                .iter()
                .filter(|call| evaluate::is_between(&facts, call, from, to))
                .map(|call| call.subsegment)
                .collect(),
            _ => Vec::new(),
        }
    }
}
