use super::{LinkWords, Message};

pub(super) const WORDS: LinkWords = LinkWords {
    start: "Bildschirm verbinden",
    ask: Message {
        title: "Bildschirm verbinden",
        text: "Tippe die sechs Zeichen ein, die auf dem Bildschirm stehen.",
    },
    ask_first: Message {
        title: "Bildschirm verbinden",
        text: "Melde dich zuerst an, damit der Bildschirm weiß, zu welcher Familie er gehört.",
    },
    code: "Code auf dem Bildschirm",
    code_hint: "Zum Beispiel K7M 3QX. Groß oder klein und Leerzeichen sind egal.",
    code_format: "Das kann kein Code sein: Er hat sechs Buchstaben und Ziffern, nie den Buchstaben U.",
    code_unknown: "Kein Bildschirm zeigt gerade diesen Code. Er wechselt alle zehn Minuten; schau noch einmal hin.",
    scanned: Message {
        title: "Du hast einen Bildschirm fotografiert",
        text: "Stell dich davor. Wenn du weitergehst, zeigt er eine Zahl.",
    },
    type_instead: "Lieber einen Code eintippen",
    far: Message {
        title: "Dieser Bildschirm ist woanders",
        text: "Er fragt aus einem anderen Netz als du. Das ist in Ordnung, wenn dein Handy mobile Daten nutzt. Steht der Bildschirm nicht vor dir, will vielleicht jemand in deiner Familie mitlesen.",
    },
    far_go_on: "Ich stehe davor",
    question: Message {
        title: "Ist das der Bildschirm vor dir?",
        text: "Verbunden zeigt er die Namen und Zettel deiner Familie.",
    },
    calls_itself: "Nennt sich",
    model: "Gerät",
    version: "App-Version",
    shown: "Code gezeigt",
    shown_just_now: "gerade eben",
    shown_one: "vor einer Minute",
    shown_many: "vor {} Minuten",
    network: "Netz",
    network_same: "dasselbe wie deins",
    network_other: "ein anderes als deins",
    decline: "Nein, ablehnen",
    yes: "Ja, das ist unserer",
    number: "Welche Zahl zeigt er?",
    number_hint: "Zwei Ziffern. Es gibt einen Versuch.",
    number_format: "Tippe die zwei Ziffern ein, die der Bildschirm zeigt.",
    name: "Wie soll er heißen?",
    name_hint: "Damit alle wissen, welcher es ist.",
    name_format: "Ein Name hat 1 bis 60 sichtbare Zeichen. Der Raum darf leer bleiben.",
    room: "In welchem Raum ist er?",
    room_hint: "Darf leer bleiben.",
    former: "Er war schon einmal bei euch, als {}. Er nimmt diesen Platz wieder ein.",
    link: "Verbinden",
    done: Message {
        title: "{} ist verbunden",
        text: "Der Bildschirm bekommt gleich die Namen und Zettel deiner Familie. Alle Erwachsenen erfahren davon.",
    },
    undo: "Rückgängig machen",
    undo_text: "War das ein Versehen? So wird dem Bildschirm sofort alles genommen. Alle Erwachsenen können das einen Tag lang.",
    another: "Noch einen Bildschirm verbinden",
    undone: Message {
        title: "Rückgängig gemacht",
        text: "Der Bildschirm gehört jetzt niemandem und hat deine Familie vergessen.",
    },
    not_undone: Message {
        title: "Hier ist nichts mehr rückgängig zu machen",
        text: "Das ist schon geschehen, oder er wurde vor mehr als einem Tag verbunden. Dann kann ihn die Verwaltung in der App entfernen.",
    },
    declined: Message {
        title: "Abgelehnt",
        text: "Der Bildschirm hat ein Nein bekommen und zeigt einen neuen Code. Nichts wurde verbunden.",
    },
    burned: Message {
        title: "Das war nicht die Zahl",
        text: "Zur Sicherheit gilt der Code nicht mehr, und nichts wurde verbunden. Der Bildschirm zeigt jetzt einen neuen.",
    },
    over: Message {
        title: "Dieser Code gilt nicht mehr",
        text: "Er wurde schon beantwortet, oder es hat länger als drei Minuten gedauert. Nichts weiter wurde verbunden. Schau auf dem Bildschirm nach einem neuen.",
    },
    qr_over: Message {
        title: "Dieses Foto ist zu alt",
        text: "Der Bildschirm zeigt inzwischen einen neuen Code. Fotografiere ihn noch einmal, oder tippe ein, was dort steht.",
    },
    locked: Message {
        title: "Zu viele falsche Codes",
        text: "Warte {}, oder fotografiere den QR-Code auf dem Bildschirm mit dem Handy: Das geht immer.",
    },
    ten_minutes: "zehn Minuten",
    one_hour: "eine Stunde",
    one_day: "einen Tag",
    near_only: Message {
        title: "Nur aus der Nähe",
        text: "Dieser Server verbindet nur Bildschirme im selben Netz. Geh in das WLAN des Bildschirms und tippe den Code noch einmal ein.",
    },
    adults_only: Message {
        title: "Erwachsene verbinden Bildschirme",
        text: "Bitte jemanden Erwachsenen aus deiner Familie, den Code einzutippen. Er gilt, bis der Bildschirm ihn wechselt.",
    },
    email_unverified: Message {
        title: "Bestätige erst deine Adresse",
        text: "Dein Anmeldedienst bürgt nicht für deine E-Mail-Adresse, darum wird von hier kein Bildschirm verbunden. Bestätige die Adresse dort und melde dich dann neu an.",
    },
    sign_in_again: "Neu anmelden",
    no_family: Message {
        title: "Zuerst eine Familie",
        text: "Ein Bildschirm gehört zu einer Familie, und du bist noch in keiner. Nimm eine Einladung an, oder gründe eine Familie in der Luminous-App.",
    },
    full: Message {
        title: "Es sind genug Bildschirme",
        text: "Eine Familie hat höchstens 50. Die Verwaltung kann einen entfernen, den niemand mehr braucht.",
    },
};
