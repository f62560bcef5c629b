use super::{LinkWords, Message};

pub(super) const WORDS: LinkWords = LinkWords {
    start: "Vincular una pantalla",
    ask: Message {
        title: "Vincular una pantalla",
        text: "Escribe los seis caracteres que muestra la pantalla.",
    },
    ask_first: Message {
        title: "Vincular una pantalla",
        text: "Primero inicia sesión, para que la pantalla sepa a qué familia pertenece.",
    },
    code: "Código de la pantalla",
    code_hint: "Por ejemplo, K7M 3QX. Da igual si usas mayúsculas o espacios.",
    code_format: "Eso no puede ser un código: tiene seis letras y cifras, y nunca la letra U.",
    code_unknown: "Ninguna pantalla muestra ahora este código. Cambia cada diez minutos; vuelve a mirarla.",
    scanned: Message {
        title: "Has fotografiado una pantalla",
        text: "Ponte delante de ella. Cuando sigas, mostrará un número.",
    },
    type_instead: "Prefiero escribir un código",
    far: Message {
        title: "Esta pantalla está en otro sitio",
        text: "Llama desde otra red que tú. Es normal si tu teléfono usa datos móviles. Si no tienes la pantalla delante, puede que alguien quiera leer lo de tu familia.",
    },
    far_go_on: "La tengo delante",
    question: Message {
        title: "¿Es esta la pantalla que tienes delante?",
        text: "Una vez vinculada, muestra los nombres y las notas de tu familia.",
    },
    calls_itself: "Se llama",
    model: "Dispositivo",
    version: "Versión",
    shown: "Mostrado",
    shown_just_now: "ahora mismo",
    shown_one: "hace un minuto",
    shown_many: "hace {} minutos",
    network: "Red",
    network_same: "la misma que la tuya",
    network_other: "otra distinta de la tuya",
    decline: "No, rechazarla",
    yes: "Sí, es nuestra",
    number: "¿Qué número muestra?",
    number_hint: "Dos cifras. Hay un solo intento.",
    number_format: "Escribe las dos cifras que muestra la pantalla.",
    name: "¿Cómo la llamáis?",
    name_hint: "Para que todos sepan cuál es.",
    name_format: "Un nombre tiene de 1 a 60 caracteres visibles. La habitación puede quedar vacía.",
    room: "¿En qué habitación está?",
    room_hint: "Puede quedar vacío.",
    former: "Ya fue vuestra, como {}. Vuelve a ocupar ese lugar.",
    link: "Vincularla",
    done: Message {
        title: "{} está vinculada",
        text: "La pantalla recibe enseguida los nombres y las notas de tu familia. Se avisa a todas las personas adultas.",
    },
    undo: "Deshacer",
    undo_text: "¿Fue un error? Deshacer le quita todo a la pantalla al momento. Cualquier persona adulta puede hacerlo durante un día.",
    another: "Vincular otra pantalla",
    undone: Message {
        title: "Deshecho",
        text: "La pantalla ya no es de nadie y ha olvidado a tu familia.",
    },
    not_undone: Message {
        title: "Ya no hay nada que deshacer",
        text: "Ya se deshizo, o se vinculó hace más de un día. En ese caso, la administración puede retirarla en la aplicación.",
    },
    declined: Message {
        title: "Rechazada",
        text: "La pantalla ha recibido un no y muestra un código nuevo. No se vinculó nada.",
    },
    burned: Message {
        title: "Ese no era el número",
        text: "Por seguridad el código ya no vale y no se vinculó nada. La pantalla muestra ahora uno nuevo.",
    },
    over: Message {
        title: "Este código ya no vale",
        text: "Ya tuvo respuesta, o pasaron más de tres minutos. No se vinculó nada más. Mira el nuevo código en la pantalla.",
    },
    qr_over: Message {
        title: "Esta foto ya no vale",
        text: "La pantalla muestra ya un código nuevo. Fotografíala otra vez, o escribe lo que muestra.",
    },
    locked: Message {
        title: "Demasiados códigos equivocados",
        text: "Espera {}, o fotografía con el teléfono el QR de la pantalla: eso siempre funciona.",
    },
    ten_minutes: "diez minutos",
    one_hour: "una hora",
    one_day: "un día",
    near_only: Message {
        title: "Solo desde cerca",
        text: "Este servidor solo vincula pantallas de la misma red. Conéctate a la wifi de la pantalla y escribe el código otra vez.",
    },
    adults_only: Message {
        title: "Las pantallas las vinculan personas adultas",
        text: "Pide a una persona adulta de tu familia que escriba el código. Vale hasta que la pantalla lo cambie.",
    },
    email_unverified: Message {
        title: "Confirma primero tu dirección",
        text: "Tu proveedor de acceso no responde por tu dirección de correo, así que desde aquí no se vincula ninguna pantalla. Confirma allí la dirección y vuelve a entrar.",
    },
    sign_in_again: "Volver a entrar",
    no_family: Message {
        title: "Primero, una familia",
        text: "Una pantalla pertenece a una familia, y aún no estás en ninguna. Acepta una invitación, o crea una familia en la aplicación Luminous.",
    },
    full: Message {
        title: "Ya hay bastantes pantallas",
        text: "Una familia tiene 50 como máximo. La administración puede retirar una que ya no haga falta.",
    },
};
