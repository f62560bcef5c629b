//! The few files that pages load.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/assets/style.css", get(style))
        .route("/assets/mark.svg", get(mark))
        .route("/assets/house.svg", get(house))
}

async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/style.css"))
}

async fn mark() -> Response {
    file("image/svg+xml", include_str!("../../assets/mark.svg"))
}

async fn house() -> Response {
    file("image/svg+xml", include_str!("../../assets/house.svg"))
}

/// Five minutes, so that a new version shows soon; the files have no version in their names.
fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, text).into_response()
}
