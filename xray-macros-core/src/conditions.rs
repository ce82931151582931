//! The `#[cfg]` attributes around a call. The statements that the expansion adds for the call need these attributes
//! too.

use syn::Attribute;

use crate::attributes::is_condition;

/// The `#[cfg]` attributes around an expression, the innermost last.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) attributes: Vec<Attribute>,
    /// The number of attributes outside the current body.
    pub(crate) outside_body: usize,
    /// The number of attributes outside the function or closure that declares the open types.
    pub(crate) outside_settlement: usize,
}

impl Conditions {
    /// Adds the conditions among the attributes of an expression.
    pub(crate) fn extend(&mut self, attributes: &[Attribute]) {
        self.attributes.extend(attributes.iter().filter(|attribute| is_condition(attribute)).cloned());
    }

    /// Returns the conditions around the expression in the current body.
    pub(crate) fn of_body(&self) -> Vec<Attribute> {
        self.attributes[self.outside_body..].to_vec()
    }

    /// Returns the conditions around the expression in the function or closure that declares the open types.
    pub(crate) fn of_settlement(&self) -> Vec<Attribute> {
        self.attributes[self.outside_settlement..].to_vec()
    }
}
