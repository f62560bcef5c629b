use super::{LinkWords, Message};

pub(super) const WORDS: LinkWords = LinkWords {
    start: "Link a display",
    ask: Message {
        title: "Link a display",
        text: "Type the six characters that the display shows.",
    },
    ask_first: Message {
        title: "Link a display",
        text: "First sign in, so that the display knows whose family it belongs to.",
    },
    code: "Code on the display",
    code_hint: "Such as K7M 3QX. Capitals and spaces don't matter.",
    code_format: "That can't be a code: it has six letters and digits, and never the letter U.",
    code_unknown: "No display shows this code now. It changes every ten minutes; look at the display once more.",
    scanned: Message {
        title: "You photographed a display",
        text: "Stand in front of it. When you go on, it shows a number.",
    },
    type_instead: "Type a code instead",
    far: Message {
        title: "This display is somewhere else",
        text: "It asks from another network than you do. That is fine if your phone is on mobile data. If the display is not in front of you, somebody may want to read along in your family.",
    },
    far_go_on: "I am standing in front of it",
    question: Message {
        title: "Is this the display in front of you?",
        text: "Once linked, it shows your family's names and notes.",
    },
    calls_itself: "Calls itself",
    model: "Device",
    version: "App version",
    shown: "Code shown",
    shown_just_now: "just now",
    shown_one: "a minute ago",
    shown_many: "{} minutes ago",
    network: "Network",
    network_same: "the same as yours",
    network_other: "another one than yours",
    decline: "No, decline it",
    yes: "Yes, it is ours",
    number: "Which number does it show?",
    number_hint: "Two digits. There is one try.",
    number_format: "Type the two digits that the display shows.",
    name: "What do you call it?",
    name_hint: "So that everybody knows which one it is.",
    name_format: "A name has 1 to 60 characters that can be seen. The room may stay empty.",
    room: "Which room is it in?",
    room_hint: "May stay empty.",
    former: "It was yours before, as {}. It takes that place again.",
    link: "Link it",
    done: Message {
        title: "{} is linked",
        text: "The display gets your family's names and notes in a moment. All adults are told.",
    },
    undo: "Undo",
    undo_text: "Was that a mistake? Undo takes everything from the display at once. Any adult can do so for a day.",
    another: "Link another display",
    undone: Message {
        title: "Undone",
        text: "The display belongs to nobody now and has forgotten your family.",
    },
    not_undone: Message {
        title: "There is nothing left to undo",
        text: "It was undone already, or was linked more than a day ago. Then an admin can revoke it in the app.",
    },
    declined: Message {
        title: "Declined",
        text: "The display was told no and shows a new code. Nothing was linked.",
    },
    burned: Message {
        title: "That was not the number",
        text: "To be safe, the code is over and nothing was linked. The display shows a new one now.",
    },
    over: Message {
        title: "This code is over",
        text: "It was answered already, or took longer than three minutes. Nothing more was linked. Look at the display for a new code.",
    },
    qr_over: Message {
        title: "This picture is too old",
        text: "The display shows a new code by now. Photograph it again, or type what it shows.",
    },
    locked: Message {
        title: "Too many wrong codes",
        text: "Wait {}, or photograph the QR on the display with your phone: that always works.",
    },
    ten_minutes: "ten minutes",
    one_hour: "an hour",
    one_day: "a day",
    near_only: Message {
        title: "Only from close by",
        text: "This server links only displays in the same network. Join the Wi-Fi that the display is in, then type the code again.",
    },
    adults_only: Message {
        title: "Adults link displays",
        text: "Ask an adult of your family to type the code. It stays good until the display changes it.",
    },
    email_unverified: Message {
        title: "Confirm your address first",
        text: "Your sign-in provider does not vouch for your e-mail address, so no display is linked from here. Confirm the address there, then sign in again.",
    },
    sign_in_again: "Sign in again",
    no_family: Message {
        title: "First, a family",
        text: "A display belongs to a family, and you are in none yet. Take up an invitation, or start a family in the Luminous app.",
    },
    full: Message {
        title: "There are enough displays",
        text: "A family has at most 50. An admin can revoke one that is no longer needed.",
    },
};
