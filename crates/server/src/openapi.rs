//! The OpenAPI 3.1 document: what the routes say of themselves, completed by what holds for all of
//! them.
//!
//! A handler documents its own answers. What the door and the outer layers can answer is the same
//! everywhere and is added here, so that no page of routes can forget it.

use luminous_domain::Permission;
use luminous_wire::api::Problem;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref,
    RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

/// The scheme's name in `security`.
const BEARER: &str = "bearer";
/// The scheme of wall displays.
const DPOP: &str = "dpop";

/// The schemes of those who are no people.
const OWN_CREDENTIALS: &[(&str, HttpAuthScheme, &str)] = &[
    ("metrics", HttpAuthScheme::Bearer, "The token in the file that `metrics.token_file` names."),
    (
        "introspection",
        HttpAuthScheme::Bearer,
        "The token in the file that `displays.introspection_token_file` names.",
    ),
    ("b2c", HttpAuthScheme::Basic, "The user and password that B2C's API connector presents."),
    ("entra", HttpAuthScheme::Bearer, "Entra's own token for the custom authentication extension."),
];

/// Which routes a shared answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// All that are for people.
    People,
    /// Those of them that take a body.
    Bodies,
    /// Every route.
    All,
}

/// A header that a shared answer carries.
#[derive(Clone, Copy)]
enum Carries {
    Nothing,
    Challenge,
    RetryAfter,
}

/// The answers that the door and the layers around all routes give, not a handler: status, name,
/// words, header, routes.
const SHARED: &[(&str, &str, &str, Carries, To)] = &[
    (
        "400",
        "BadRequest",
        "`input.invalid`, `invite.code_format`, `device.code_format`: a value is not what it must be, or not known",
        Carries::Nothing,
        To::Bodies,
    ),
    (
        "401",
        "Unauthorized",
        "`token.*`: no accepted token; `session.step_up_required` (RFC 9470)",
        Carries::Challenge,
        To::People,
    ),
    (
        "403",
        "Forbidden",
        "`authz.*`: not a person, not in this family, or the role does not allow it",
        Carries::Challenge,
        To::People,
    ),
    ("413", "ContentTooLarge", "`request.too_large`", Carries::Nothing, To::Bodies),
    ("415", "UnsupportedMediaType", "`request.media_type`", Carries::Nothing, To::Bodies),
    (
        "429",
        "TooManyRequests",
        "`request.rate_limited`, `invite.rate_limited`, `device.rate_limited`",
        Carries::RetryAfter,
        To::All,
    ),
    (
        "500",
        "InternalError",
        "`internal`, `store.failed`: a defect of the server",
        Carries::Nothing,
        To::All,
    ),
    (
        "503",
        "Unavailable",
        "`store.*`, `keys.unavailable`, `server.busy`, `request.timeout`: try again",
        Carries::RetryAfter,
        To::All,
    ),
    ("507", "InsufficientStorage", "`store.full`", Carries::Nothing, To::People),
];

/// Completes what the routes say of themselves.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let people = path.starts_with("/api/");
        operations(item).for_each(|operation| complete_operation(operation, people));
    }
    document
}

/// The whole document as text, as it is committed in `docs/openapi.json`.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn text() -> Result<String, serde_json::Error> {
    Ok(crate::routes::document().to_pretty_json()? + "\n")
}

/// What the document begins with: what holds for all routes.
#[must_use]
pub fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Luminous family API")
        .version("1")
        .description(Some("Who may do what in a family. Read docs/API.md first."))
        .license(Some(License::new("MIT OR Apache-2.0")));
    let mut components = Components::new();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    for &(_, name, words, carries, _) in SHARED {
        components.responses.insert(name.to_owned(), RefOr::T(response(words, carries)));
    }
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme()));
    for (name, kind, words) in OWN_CREDENTIALS {
        let mut own = Http::new(kind.clone());
        own.description = Some((*words).to_owned());
        components.add_security_scheme(*name, SecurityScheme::Http(own));
    }
    components.add_security_scheme(DPOP, SecurityScheme::ApiKey(proof_scheme()));
    OpenApiBuilder::new().info(info.build()).components(Some(components)).build()
}

/// RFC 9449 has no scheme of its own in OpenAPI.
fn proof_scheme() -> ApiKey {
    ApiKey::Header(ApiKeyValue::with_description(
        luminous_oidc::dpop::HEADER,
        "A wall display: a proof of its key (RFC 9449) in this header, and at the API's routes \
         `Authorization: DPoP` with the access token that is bound to that key.",
    ))
}

fn scheme() -> Http {
    let permissions: Vec<_> = Permission::ALL
        .iter()
        .map(|one| if one.needs_step_up() { format!("{one} (step-up)") } else { one.to_string() })
        .collect();
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.bearer_format = Some("JWT".to_owned());
    scheme.description = Some(format!(
        "An access token of one of the configured identity providers. The names beside it in \
         `security` are what the caller's role in the family must allow: {}.",
        permissions.join(", ")
    ));
    scheme
}

/// Adds the shared answers to a route.
fn complete_operation(operation: &mut Operation, people: bool) {
    for answer in operation.responses.responses.iter_mut() {
        if let (status, RefOr::T(response)) = answer
            && is_error(status)
            && response.content.is_empty()
        {
            response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(problem()));
        }
    }
    let body = operation.request_body.is_some();
    for &(status, name, .., to) in SHARED {
        let counts = match to {
            To::All => true,
            To::People => people,
            To::Bodies => people && body,
        };
        if counts {
            let there = operation.responses.responses.entry(status.to_owned());
            there.or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

const PROBLEM_JSON: &str = "application/problem+json";

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

fn problem() -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build()
}

fn response(words: &str, carries: Carries) -> Response {
    let response = ResponseBuilder::new().description(words).content(PROBLEM_JSON, problem());
    let header = |words: &str| HeaderBuilder::new().description(Some(words)).build();
    match carries {
        Carries::Nothing => response,
        Carries::Challenge => response.header("www-authenticate", header("RFC 6750 section 3")),
        Carries::RetryAfter => response.header("retry-after", header("Seconds")),
    }
    .build()
}
