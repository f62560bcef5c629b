//! One definition for a setting: its type, its default, its help and its line in the example.

/// Defines structs of settings. A default, a line for the annotated example (`#` in front of it
/// comments it out, nothing at all leaves it to a table of its own), and the doc comment as help.
macro_rules! settings {
    ($($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $kind:ty = $default:expr, $example:literal;)*
    })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            /// Its part of the annotated example.
            pub(crate) fn annotate(out: &mut String) {
                $($crate::config::annotate(out, &[$($doc),*], stringify!($field), $example);)*
            }
        }
    )*};
}
pub(crate) use settings;
