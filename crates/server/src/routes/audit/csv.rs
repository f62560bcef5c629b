//! The audit log as a table, written page by page so that a long one needs no long memory.

use std::io;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use luminous_domain::FamilyId;
use luminous_store::{AuditFilter, AuditRow};
use luminous_wire::api::AuditEntry;

use crate::{ApiError, AppState, views};

/// Lines read at a time.
const PAGE: u32 = 500;

const COLUMNS: [&str; 11] = [
    "at",
    "action",
    "outcome",
    "actor",
    "actor_kind",
    "actor_id",
    "subject",
    "subject_name",
    "detail",
    "network",
    "id",
];

/// Everything that passes the filter, as a file.
///
/// The first page is read before anything is answered, so that a store that cannot answers with
/// its status. When a later page fails, the answer is cut off, which a client notices; nothing
/// pretends to be complete.
///
/// # Errors
/// [`ApiError::Store`].
pub async fn answer(
    state: AppState,
    family: FamilyId,
    filter: AuditFilter,
) -> Result<Response, ApiError> {
    let first = state.store().audit(family, &filter, PAGE).await?;
    let table = Table { state, family, filter };
    let head = write(|out| out.write_record(COLUMNS))?;
    let pages = stream::unfold(Some((table, Some(first))), |next| async {
        let (mut table, read) = next?;
        let rows = match read {
            Some(rows) => Ok(rows),
            None => table.read().await,
        };
        Some(match rows.and_then(|rows| table.advance(rows)) {
            Ok((lines, more)) => (Ok(lines), more.then_some((table, None))),
            Err(error) => (Err(io::Error::other(error)), None),
        })
    });
    let body = stream::StreamExt::chain(stream::iter([Ok(head)]), pages);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"luminous-audit.csv\""),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// How far the writing has come.
struct Table {
    state: AppState,
    family: FamilyId,
    filter: AuditFilter,
}

impl Table {
    async fn read(&self) -> Result<Vec<AuditRow>, ApiError> {
        Ok(self.state.store().audit(self.family, &self.filter, PAGE).await?)
    }

    /// The rows as lines, and whether there may be more.
    fn advance(&mut self, rows: Vec<AuditRow>) -> Result<(Bytes, bool), ApiError> {
        let more = rows.len() == PAGE as usize;
        self.filter.before = rows.last().map(|row| row.id);
        let lines =
            write(|out| rows.into_iter().try_for_each(|row| out.write_record(record(row))))?;
        Ok((lines, more))
    }
}

fn record(row: AuditRow) -> [String; 11] {
    // Times to read, in UTC (RFC 3339).
    let at = row.at.to_string();
    let AuditEntry { id, actor, action, subject, subject_name, outcome, network, detail, .. } =
        views::audit(row);
    [
        at,
        action,
        outcome,
        actor.name,
        actor.kind,
        actor.id.unwrap_or_default(),
        subject.unwrap_or_default(),
        subject_name.unwrap_or_default(),
        detail.unwrap_or_default(),
        network,
        id.to_string(),
    ]
    .map(defuse)
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe (CWE-1236): people
/// choose their own names, and somebody else opens the file.
fn defuse(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn write(
    lines: impl FnOnce(&mut ::csv::Writer<Vec<u8>>) -> ::csv::Result<()>,
) -> Result<Bytes, ApiError> {
    let mut out =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let failed =
        |error: String| ApiError::Internal(format!("a table could not be written: {error}"));
    lines(&mut out).map_err(|error| failed(error.to_string()))?;
    let bytes = out.into_inner().map_err(|error| failed(error.to_string()))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_formula_is_defused_and_others_stay() {
        for cell in ["=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
        {
            assert_eq!(defuse(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["Ana", "", "O'Neil", "a=b", "1-2"] {
            assert_eq!(defuse(cell.to_owned()), cell);
        }
    }

    #[test]
    fn cells_with_commas_quotes_and_lines_stay_one_cell() {
        let line = write(|out| out.write_record(["a,b", "say \"hi\"", "two\nlines"])).unwrap();
        assert_eq!(&line[..], b"\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
    }
}
