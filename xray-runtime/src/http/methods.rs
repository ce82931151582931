//! Types that identify methods which may perform an HTTP call: `Traceable<methods::send>`.
//!
//! They are generated from the table of calls in `xray-macros`.

/// Defines a type for each method. The arities are used only by `private::methods`.
macro_rules! methods {
    ($($method:ident($($arity:literal)*)),* $(,)?) => {
        $(
            #[doc = concat!("The method `", stringify!($method), "`.")]
            #[derive(Debug, Clone, Copy)]
            #[expect(non_camel_case_types, reason = "it is the method's name")]
            pub enum $method {}
        )*
    };
}

xray_macros::__for_each_method! { methods }

/// Any method or function, in a call that is marked with `#[xray(trace)]`.
#[derive(Debug, Clone, Copy)]
#[expect(non_camel_case_types, reason = "it stands beside the methods' names")]
pub enum any {}
