use super::{Message, Roles, Words};

pub(super) const WORDS: Words = Words {
    note: "Luminous: Die Bildschirme der Familie bleiben in der Familie.",
    error_prefix: "Fehler: ",
    welcome: Message {
        title: "Willkommen",
        text: "Melde dich an, um deine Familie zu sehen, eine Einladung anzunehmen und dich um die Bildschirme zu Hause zu kümmern.",
    },
    sign_in: "Anmelden",
    sign_in_with: "Weiter mit {}",
    or: "oder",
    sign_in_as_other: "Als jemand anderes anmelden",
    have_a_code: "Ich habe einen Einladungscode",
    hello: "Hallo, {}",
    hello_nameless: "Hallo",
    family: "Familie",
    your_role: "Deine Rolle",
    no_family: Message {
        title: "Noch in keiner Familie",
        text: "Hat dich jemand eingeladen, gib den Code ein. Eine eigene Familie gründest du in der Luminous-App am Computer.",
    },
    place_off: Message {
        title: "Dein Platz ist abgeschaltet",
        text: "Jemand von {} hat ihn vorerst abgeschaltet. Es ging nichts verloren; bitte darum, ihn wieder einzuschalten.",
    },
    enter_code: "Einladungscode eingeben",
    screens: "Bildschirme",
    no_screens: "Noch ist kein Bildschirm verbunden.",
    sign_out: "Abmelden",
    sign_out_everywhere: "Überall abmelden",
    everywhere_text: "Meldet dich in allen Browsern und Apps ab, hier und anderswo. Gut, wenn ein Telefon verloren ging.",
    signed_out: Message {
        title: "Du bist abgemeldet",
        text: "Bis bald. Du kannst diese Seite schließen.",
    },
    join: Message {
        title: "Einer Familie beitreten",
        text: "Gib den Code ein, den du bekommen hast.",
    },
    join_first: Message {
        title: "Einer Familie beitreten",
        text: "Melde dich zuerst an oder lege dabei ein Konto an. Danach gibst du den Code ein, den du bekommen hast.",
    },
    code: "Einladungscode",
    code_hint: "Zehn Buchstaben und Ziffern, etwa K7M3Q XW92H. Groß oder klein und Leerzeichen sind egal.",
    go_on: "Weiter",
    back: "Zurück",
    home: "Zur Startseite",
    try_again: "Noch einmal versuchen",
    code_format: "Das kann kein Code sein: Er hat zehn Buchstaben und Ziffern und nie den Buchstaben U.",
    code_unknown: "Zu diesem Code gibt es keine offene Einladung. Vielleicht wurde sie benutzt, zurückgezogen oder ist abgelaufen.",
    invited_by: "{} lädt dich in die Familie ein",
    invited_to: "Du bist eingeladen",
    as_role: "Deine Rolle wird: {}",
    accept: "Der Familie beitreten",
    member_already: Message {
        title: "Du bist schon in einer Familie",
        text: "Man kann nur in einer Familie zugleich sein. Verlasse sie zuerst in der App am Computer. Die Einladung bleibt offen.",
    },
    too_many_codes: Message {
        title: "Zu viele falsche Codes",
        text: "Warte zehn Minuten, bevor du es wieder versuchst, und frag noch einmal nach dem Code.",
    },
    family_full: Message {
        title: "Diese Familie ist voll",
        text: "Eine Familie hat höchstens 50 Mitglieder. Frag, wer dich eingeladen hat.",
    },
    cancelled: Message {
        title: "Nicht angemeldet",
        text: "Du bist vorher umgekehrt. Es ist nichts geschehen.",
    },
    not_open: Message {
        title: "Diese Anmeldung ist nicht mehr offen",
        text: "Sie ist schon fertig, hat länger als zehn Minuten gedauert oder begann in einem anderen Browser. Fang einfach neu an.",
    },
    bad_link: Message {
        title: "Dieser Link stimmt nicht",
        text: "Er führt an einen Ort, der nicht zu uns gehört. Deshalb folgen wir ihm nicht.",
    },
    refused: Message {
        title: "Die Anmeldung hat nicht geklappt",
        text: "Dein Anmeldedienst wollte sie nicht abschließen. Versuch es noch einmal; bleibt es so, sag es der Person, die diesen Server betreut.",
    },
    provider_busy: Message {
        title: "Die Anmeldung ist gerade nicht erreichbar",
        text: "Dein Anmeldedienst antwortet nicht, wie er sollte. Warte eine Minute und versuch es dann noch einmal.",
    },
    forgery: Message {
        title: "Das kam nicht von unserer Seite",
        text: "Sicherheitshalber wurde nichts getan. Geh zur Startseite und mach es von dort aus.",
    },
    failed: Message {
        title: "Da ist bei uns etwas schiefgegangen",
        text: "Es wurde nichts geändert. Versuch es in einer Minute noch einmal.",
    },
    too_fast: Message {
        title: "Einen Moment",
        text: "Aus deinem Netz kamen zu viele Anfragen. Warte eine Minute und versuch es dann noch einmal.",
    },
    no_page: Message {
        title: "Hier ist keine Seite",
        text: "Vielleicht war es die Adresse eines Zwischenschritts. Fang auf der Startseite neu an.",
    },
    request_id: "Für die Person, die diesen Server betreut",
    roles: Roles {
        owner: "Inhaber:in",
        admin: "Verwaltung",
        adult: "Erwachsen",
        teen: "Jugendlich",
        child: "Kind",
        caregiver: "Betreuung",
        display: "Bildschirm",
    },
};
