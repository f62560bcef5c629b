//! The OpenAPI document: what every route says of itself, and what holds for all of them.

use utoipa::OpenApi;

/// The part that holds for all routes.
#[derive(Debug, OpenApi)]
#[openapi(info(title = "Luminous family API", description = "Who may do what in a family."))]
pub struct ApiDoc;
