//! Values of `annotate(key = value)`, looked at where they are: the function goes on to use them.

use crate::document::AnnotationValue;

pub trait ToAnnotation {
    fn __xray_annotation(&self) -> AnnotationValue;
}

impl<T: Clone + Into<AnnotationValue>> ToAnnotation for T {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.clone().into()
    }
}

impl ToAnnotation for str {
    fn __xray_annotation(&self) -> AnnotationValue {
        self.into()
    }
}
