//! Every route, on one page.
//!
//! | route | who |
//! |---|---|
//! | `GET /api/me` | a person |
//! | `GET /api/me/export` | a person |
//! | `GET /api/me/sessions`, `DELETE /api/me/sessions/{session_id}` | a person |
//! | `POST /api/me/sign-out-everywhere` | a person |
//! | `POST /api/families` | a person outside |
//! | `GET PATCH DELETE /api/families/{family_id}` | `family.read` `family.rename` `family.delete` |
//! | `POST /api/families/{family_id}/leave` | `family.read` |
//! | `GET /api/families/{family_id}/members` | `members.read` |
//! | `POST /api/families/{family_id}/members` | `children.manage` |
//! | `PATCH /api/families/{family_id}/members/{member_id}` | `members.manage` |
//! | `PATCH /api/families/{family_id}/children/{member_id}` | `children.manage` (name only) |
//! | `DELETE /api/families/{family_id}/members/{member_id}` | `members.manage` |
//! | `DELETE /api/families/{family_id}/children/{member_id}` | `children.manage` |
//! | `GET POST /api/families/{family_id}/invites` | `invites.manage` |
//! | `DELETE /api/families/{family_id}/invites/{invite_id}` | `invites.manage` |
//! | `POST /api/invites/preview`, `POST /api/invites/accept` | a person |
//! | `GET /api/families/{family_id}/devices` | `devices.read` |
//! | `GET /api/families/{family_id}/audit` | `audit.read`; CSV by `Accept: text/csv` or `?format=csv` |
//! | `GET /api/families/{family_id}/notes` | `notes.read` |
//! | `POST /api/families/{family_id}/notes` | `notes.post` |
//! | `DELETE /api/families/{family_id}/notes/{note_id}` | `notes.post` |
//! | `POST /connectors/b2c/claims` | B2C's API connector, with its own credentials |
//! | `POST /connectors/entra/token-issuance-start` | Entra's, with its own token |
//! | `GET /login`, `GET /callback`, `POST /logout`, `GET /`, `GET /join` | a browser |
//! | `GET /.well-known/luminous`, `GET /openapi.json` | anybody |
//! | `GET /healthz`, `GET /readyz`, `GET /version` | anybody |
//! | `GET /metrics` | whoever reaches the separate listener or holds its token |
