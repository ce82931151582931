//! The methods that may perform an HTTP call, as types: `Traceable<methods::send>`.
//!
//! Their names stand once, in the macro crate's table of calls.

/// Makes a type for each method. The arities are for `private::methods`.
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
