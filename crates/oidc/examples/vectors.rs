//! Judges the JOSE layer by the Wycheproof vectors; `cargo xtask vectors FOLDER` calls it.
//!
//! Every invalid token must be refused; there is no exception from that. Every valid one must be
//! accepted, except those listed here, each with its reason and with the refusal it must meet.
//! A disagreement that is not listed, and a listed one that no longer exists, fail the run.
#![expect(clippy::print_stdout, reason = "the verdict is this program's output")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use luminous_oidc::jose::{DropReason, Jws, KeySet};
use luminous_oidc::{Algorithm, Malformation, TokenError};
use serde_json::{Value, json};

/// Valid tokens we refuse, and why that is right.
struct Exception {
    reason: &'static str,
    refusal: TokenError,
    /// Why the key of these tokens is not used, where that is the cause.
    dropped: Option<DropReason>,
    cases: &'static [(&'static str, &'static [u64])],
}

const SIGNATURES: &str = "json_web_signature";
const KEYS: &str = "json_web_key";
const CRYPTO: &str = "json_web_crypto";

/// How many tests each file has; fewer would prove less than it seems.
const FILES: [(&str, usize); 3] = [(SIGNATURES, 401), (KEYS, 26), (CRYPTO, 83)];

/// Tests whose key has the ROCA fingerprint. Their tokens would be refused for other reasons too,
/// so the reason the key is dropped for is looked at.
const ROCA: [(&str, u64); 2] = [(KEYS, 7), (CRYPTO, 46)];

/// Labelled invalid, but letter for letter the valid token of test 357: a defect of the vectors.
/// We refuse all three for their shared secret, so there is nothing to except.
const DEFECTS: [(&str, u64); 2] = [(SIGNATURES, 367), (SIGNATURES, 370)];

const EXCEPTIONS: [Exception; 6] = [
    Exception {
        reason: "HS256, HS384, HS512: a shared secret cannot prove who signed",
        refusal: TokenError::AlgorithmNotAllowed,
        dropped: Some(DropReason::Symmetric),
        cases: &[
            (SIGNATURES, &[1, 348, 352, 357, 358, 359, 373, 376, 377]),
            (KEYS, &[2, 13, 14, 15]),
            (CRYPTO, &[1, 48]),
        ],
    },
    Exception {
        reason: "a `?` within the header's base64url, labelled valid: a defect of the vector (373 has \
                 one in the payload, behind a shared secret)",
        refusal: TokenError::Malformed(Malformation::Encoding),
        dropped: None,
        cases: &[(SIGNATURES, &[372])],
    },
    Exception {
        reason: "an empty payload: a token without claims proves nothing",
        refusal: TokenError::Malformed(Malformation::Parts),
        dropped: None,
        cases: &[(SIGNATURES, &[259, 264, 268, 272, 320, 325])],
    },
    Exception {
        reason: "the key says PS256, the token PS384: one of them is wrong (RFC 7517 section 4.4)",
        refusal: TokenError::AlgorithmNotAllowed,
        dropped: None,
        cases: &[(SIGNATURES, &[346, 350])],
    },
    Exception {
        reason: "the key says ES521, which is no algorithm (RFC 7518 section 3.1 has ES512)",
        refusal: TokenError::KidUnknown,
        dropped: Some(DropReason::AlgorithmMismatch),
        cases: &[(SIGNATURES, &[347, 351])],
    },
    Exception {
        reason: "encrypted (JWE): nothing is ever decrypted",
        refusal: TokenError::Malformed(Malformation::Parts),
        dropped: None,
        cases: &[(CRYPTO, &[50, 67])],
    },
];

/// One test of a file.
struct Test<'a> {
    file: &'static str,
    id: u64,
    valid: bool,
    token: String,
    keys: &'a KeySet,
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    excepted: BTreeSet<(&'static str, u64)>,
    faults: Vec<String>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    let mut tally = Tally::default();
    for (file, expected) in FILES {
        let judged = judge_file(Path::new(&folder), file, &mut tally)?;
        if judged != expected {
            tally.faults.push(format!("{file}: {judged} tests instead of {expected}"));
        }
        println!("{file}: {judged} tests");
    }
    report(&mut tally);
    for fault in &tally.faults {
        println!("FAULT {fault}");
    }
    Ok(if tally.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn judge_file(
    folder: &Path,
    file: &'static str,
    tally: &mut Tally,
) -> Result<usize, Box<dyn Error>> {
    let text = std::fs::read(folder.join(file).with_extension("json"))?;
    let document: Value = serde_json::from_slice(&text)?;
    let mut judged = 0;
    for group in document["testGroups"].as_array().ok_or("no test groups")? {
        let keys = key_set(group)?;
        for test in group["tests"].as_array().ok_or("no tests")? {
            let token = test.get("jws").or_else(|| test.get("jwe")).ok_or("no token")?;
            judge(
                &Test {
                    file,
                    id: test["tcId"].as_u64().ok_or("no number")?,
                    valid: test["result"] == "valid",
                    token: token.as_str().map_or_else(|| token.to_string(), str::to_owned),
                    keys: &keys,
                },
                tally,
            );
            judged += 1;
        }
    }
    Ok(judged)
}

/// The keys of a group as a provider would publish them.
fn key_set(group: &Value) -> Result<KeySet, Box<dyn Error>> {
    let key = group.get("public").or_else(|| group.get("private")).ok_or("no key")?;
    let set = if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) };
    Ok(KeySet::parse(set.to_string().as_bytes(), &Algorithm::ALL)?)
}

fn judge(test: &Test<'_>, tally: &mut Tally) {
    let Test { file, id, .. } = *test;
    let drops: Vec<DropReason> = test.keys.dropped().iter().map(|key| key.reason).collect();
    if ROCA.contains(&(file, id)) && drops != [DropReason::Roca] {
        tally.faults.push(format!("{file} {id}: the ROCA key was not seen: {drops:?}"));
    }
    let outcome = Jws::parse(&test.token, &Algorithm::ALL).and_then(|jws| test.keys.verify(&jws));
    if DEFECTS.contains(&(file, id)) && outcome != Err(TokenError::AlgorithmNotAllowed) {
        tally.faults.push(format!("{file} {id}: no longer the defect it was"));
    }
    let exception = exception(file, id);
    match (test.valid, outcome, exception) {
        (true, Ok(()), None) => tally.accepted += 1,
        (false, Err(_), None) => tally.refused += 1,
        (false, Ok(()), _) => tally.faults.push(format!("{file} {id}: an invalid token accepted")),
        (true, Err(refusal), Some(exception)) => {
            let dropped = exception.dropped.is_none_or(|reason| drops.contains(&reason));
            if refusal == exception.refusal && dropped {
                tally.excepted.insert((file, id));
            } else {
                tally.faults.push(format!("{file} {id}: refused for another reason: {refusal}"));
            }
        }
        (true, Err(refusal), None) => {
            tally.faults.push(format!("{file} {id}: a valid token refused: {refusal}"));
        }
        (_, _, Some(_)) => tally.faults.push(format!("{file} {id}: a stale exception")),
    }
}

fn exception(file: &str, id: u64) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|exception| {
        exception.cases.iter().any(|(name, ids)| *name == file && ids.contains(&id))
    })
}

fn report(tally: &mut Tally) {
    println!("{} invalid tokens refused", tally.refused);
    println!("{} valid tokens accepted", tally.accepted);
    println!("{} valid tokens refused, as they should be:", tally.excepted.len());
    for exception in &EXCEPTIONS {
        println!("  {}", exception.reason);
        for (file, ids) in exception.cases {
            println!("    {file} {ids:?}");
            for id in *ids {
                if !tally.excepted.contains(&(*file, *id))
                    && !tally.faults.iter().any(|fault| fault.starts_with(&format!("{file} {id}:")))
                {
                    tally.faults.push(format!("{file} {id}: an exception for no test"));
                }
            }
        }
    }
    println!("labelled invalid by mistake, refused all the same: {DEFECTS:?}");
    println!("ROCA keys dropped by their fingerprint: {ROCA:?}");
}
