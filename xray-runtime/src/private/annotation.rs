//! The values of `annotate(key = value)`.
//!
//! A value is taken by reference, by a method's autoref: the function goes on to use it. `into()` on `order.id` would
//! move the field.

use crate::document::AnnotationValue;

pub trait ToAnnotation {
    fn __xray_annotation(&self) -> AnnotationValue;
}

impl<T: Clone + Into<AnnotationValue>> ToAnnotation for T {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.clone().into()
    }
}

/// For `str` behind any number of references: an unsized type cannot be cloned.
impl ToAnnotation for str {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.into()
    }
}
