//! Converts the values of `annotate(key = value)`.
//!
//! `__xray_annotation` takes `&self`, so the method call borrows its receiver and the function can still use it. A call
//! of `into()` on `order.id` would move the field.

use crate::document::AnnotationValue;

/// Converts a value of `annotate(key = value)` without moving it.
pub trait ToAnnotation {
    fn __xray_annotation(&self) -> AnnotationValue;
}

impl<T: Clone + Into<AnnotationValue>> ToAnnotation for T {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.clone().into()
    }
}

/// A separate implementation, because a `str` is unsized and cannot be cloned. Method lookup finds it for a `str`
/// behind any number of references.
impl ToAnnotation for str {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.into()
    }
}
