//! The redirect parser: hostile bytes in, typed refusals out.

use luminous_auth::redirect::{
    Answer, LONGEST, Redirect, RedirectError, parse_loopback, parse_redirect,
};
use luminous_wire::ErrorCode;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Redirect, RedirectError> {
    parse_redirect(text.as_bytes())
}

#[test]
fn a_code_is_read() {
    let redirect = parse("family.luminous.app://auth/callback?code=a%2Fb+c&state=s1&x=y").unwrap();
    assert_eq!(redirect.endpoint, "family.luminous.app://auth/callback");
    assert_eq!(redirect.state.as_deref(), Some("s1"));
    let Answer::Code(code) = redirect.answer else { panic!("a code was sent") };
    assert_eq!(code.expose(), "a/b c");
}

#[test]
fn r14_scheme_and_host_are_taken_in_any_case_but_the_path_is_not() {
    assert!(parse("FAMILY.LUMINOUS.APP://Auth/callback?code=c&state=s").is_ok());
    let other = parse("family.luminous.app://auth/CALLBACK?code=c&state=s");
    assert_eq!(other.unwrap_err(), RedirectError::OtherAddress);
}

#[test]
fn r14_what_is_no_redirect_of_ours_is_malformed() {
    use RedirectError::{Fragment, NoAnswer, NotAUrl, OtherAddress};
    let base = "family.luminous.app://auth/callback";
    let cases = [
        (String::new(), OtherAddress),
        (format!("{base}?code=a%00b&state=s"), NotAUrl),
        (format!("{base}?code=a&state=%zz"), NotAUrl),
        (format!("{base}?code=a&state=%f"), NotAUrl),
        (format!("{base}?code=%FF%FE&state=s"), NotAUrl),
        (format!("{base}?code=a b&state=s"), NotAUrl),
        (format!("{base}?code=ä&state=s"), NotAUrl),
        (format!("{base}?code=a&state=s\n"), NotAUrl),
        ("family.luminous.app://evil@auth/callback?code=a&state=s".to_owned(), OtherAddress),
        ("family.luminous.app://auth:80/callback?code=a&state=s".to_owned(), OtherAddress),
        ("family.luminous.app://auth/callback/?code=a&state=s".to_owned(), OtherAddress),
        ("family.luminous.app:/auth/callback?code=a&state=s".to_owned(), OtherAddress),
        ("http://localhost:47218/auth/callback?code=a&state=s".to_owned(), OtherAddress),
        (format!("{base}#code=a&state=s"), Fragment),
        (format!("{base}?code=a&state=s#"), Fragment),
        (base.to_owned(), NoAnswer),
        (format!("{base}?state=s"), NoAnswer),
        (format!("{base}?code=&state=s"), NoAnswer),
        (format!("{base}?code=a&error=access_denied&state=s"), NoAnswer),
    ];
    for (text, expected) in cases {
        let error = parse(&text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert_eq!(error.code(), ErrorCode::RedirectMalformed, "{text}");
    }
    assert_eq!(parse_redirect(&[b'a', 0xff]).unwrap_err(), NotAUrl);
}

#[test]
fn r14_64_kib_is_too_long_and_a_byte_less_is_not() {
    let prefix = "family.luminous.app://auth/callback?state=s&code=";
    let long = format!("{prefix}{}", "c".repeat(LONGEST - prefix.len()));
    assert!(parse(&long).is_ok());
    assert_eq!(parse(&format!("{long}c")).unwrap_err(), RedirectError::TooLong);
}

#[test]
fn r3_a_parameter_that_comes_twice_is_refused_and_a_doubled_state_is_a_mismatch() {
    let base = "family.luminous.app://auth/callback";
    let doubled = parse(&format!("{base}?code=a&state=s&st%61te=s")).unwrap_err();
    assert_eq!(doubled, RedirectError::Duplicate { state: true });
    assert_eq!(doubled.code(), ErrorCode::RedirectStateMismatch);
    for query in ["code=a&code=a&state=s", "code=a&state=s&x=1&x=2"] {
        let doubled = parse(&format!("{base}?{query}")).unwrap_err();
        assert_eq!(doubled, RedirectError::Duplicate { state: false });
    }
}

#[test]
fn the_loopback_target_is_read_as_strictly() {
    let redirect = parse_loopback(47218, b"/auth/callback?code=c&state=s").unwrap();
    assert_eq!(redirect.endpoint, "http://localhost:47218/auth/callback");
    for target in
        ["/auth/callback/", "/auth/callback;x", "//auth/callback", "http://a/auth/callback"]
    {
        let target = format!("{target}?code=c&state=s");
        let refused = parse_loopback(47218, target.as_bytes()).unwrap_err();
        assert_eq!(refused, RedirectError::OtherAddress, "{target}");
    }
}

proptest! {
    #[test]
    fn r14_no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_redirect(&bytes);
        let _ = parse_loopback(1, &bytes);
    }

    #[test]
    fn r14_no_query_makes_the_parser_panic(query in "[ -~]{0,300}") {
        let _ = parse(&format!("family.luminous.app://auth/callback?{query}"));
    }

    #[test]
    fn a_code_survives_its_encoding(code in "\\PC{1,80}") {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", "s")
            .finish();
        let redirect = parse(&format!("family.luminous.app://auth/callback?{query}")).unwrap();
        let Answer::Code(read) = redirect.answer else { panic!("a code was sent") };
        prop_assert_eq!(read.expose(), code);
    }
}
