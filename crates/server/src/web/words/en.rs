use super::{Message, Roles, Words};

pub(super) const WORDS: Words = Words {
    note: "Luminous keeps a family's screens in the family.",
    error_prefix: "Error: ",
    welcome: Message {
        title: "Come on in",
        text: "Sign in to see your family, take up an invitation, and look after the screens at home.",
    },
    sign_in: "Sign in",
    sign_in_with: "Continue with {}",
    or: "or",
    sign_in_as_other: "Sign in as somebody else",
    have_a_code: "I have an invitation code",
    hello: "Hello, {}",
    hello_nameless: "Hello",
    family: "Family",
    your_role: "Your role",
    no_family: Message {
        title: "Not in a family yet",
        text: "If somebody invited you, enter their code. To start a family of your own, use the Luminous app on your computer.",
    },
    place_off: Message {
        title: "Your place is switched off",
        text: "An adult of {} has switched it off for now. Nothing was forgotten; ask them to switch it on again.",
    },
    enter_code: "Enter an invitation code",
    screens: "Screens",
    no_screens: "No screens are linked yet.",
    sign_out: "Sign out",
    sign_out_everywhere: "Sign out everywhere",
    everywhere_text: "Signs you out of every browser and app, here and elsewhere. Good when a phone got lost.",
    signed_out: Message {
        title: "You are signed out",
        text: "See you soon. You may close this page.",
    },
    join: Message { title: "Join a family", text: "Enter the code that you were given." },
    join_first: Message {
        title: "Join a family",
        text: "First sign in, or create an account on the way. Then enter the code that you were given.",
    },
    code: "Invitation code",
    code_hint: "Ten letters and digits, such as K7M3Q XW92H. Capitals and spaces don't matter.",
    go_on: "Continue",
    back: "Back",
    home: "To the front page",
    try_again: "Try again",
    code_format: "That can't be a code: it has ten letters and digits, and never the letter U.",
    code_unknown: "There is no open invitation with this code. It may have been used, withdrawn, or have run out.",
    invited_by: "{} invites you into the family",
    invited_to: "You are invited",
    as_role: "You join with the role: {}",
    accept: "Join the family",
    member_already: Message {
        title: "You are in a family already",
        text: "One can be in one family at a time. Leave it first, in the app on your computer. The invitation stays open.",
    },
    too_many_codes: Message {
        title: "Too many wrong codes",
        text: "Wait ten minutes before you try again, and ask for the code once more.",
    },
    family_full: Message {
        title: "This family is full",
        text: "A family has at most 50 members. Ask whoever invited you.",
    },
    cancelled: Message {
        title: "Not signed in",
        text: "You went back before it was done. Nothing has happened.",
    },
    not_open: Message {
        title: "This sign-in is no longer open",
        text: "It was finished already, took longer than ten minutes, or was begun in another browser. Just start again.",
    },
    bad_link: Message {
        title: "This link is not right",
        text: "It leads to a place that is not ours, so we don't follow it.",
    },
    refused: Message {
        title: "The sign-in didn't work",
        text: "Your identity provider would not finish it. Try again; if it stays like this, tell whoever looks after this server.",
    },
    provider_busy: Message {
        title: "Sign-in is out of reach just now",
        text: "Your identity provider doesn't answer as it should. Wait a minute, then try again.",
    },
    forgery: Message {
        title: "That didn't come from our page",
        text: "To be safe, nothing was done. Go to the front page and do it from there.",
    },
    failed: Message {
        title: "That went wrong, and it's on us",
        text: "Nothing was changed. Try again in a minute.",
    },
    too_fast: Message {
        title: "One moment",
        text: "There were too many requests from your network. Wait a minute, then try again.",
    },
    no_page: Message {
        title: "There is no page here",
        text: "Perhaps it was the address of a step in between. Begin again from the front page.",
    },
    request_id: "For whoever looks after this server",
    roles: Roles {
        owner: "Owner",
        admin: "Admin",
        adult: "Adult",
        teen: "Teen",
        child: "Child",
        caregiver: "Caregiver",
        display: "Screen",
    },
};
