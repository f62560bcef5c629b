use super::{Message, Roles, Words};

pub(super) const WORDS: Words = Words {
    note: "Luminous: las pantallas de la familia se quedan en la familia.",
    error_prefix: "Error: ",
    welcome: Message {
        title: "Adelante, pasa",
        text: "Inicia sesión para ver a tu familia, aceptar una invitación y cuidar de las pantallas de casa.",
    },
    sign_in: "Iniciar sesión",
    sign_in_with: "Continuar con {}",
    or: "o",
    sign_in_as_other: "Entrar como otra persona",
    have_a_code: "Tengo un código de invitación",
    hello: "Hola, {}",
    hello_nameless: "Hola",
    family: "Familia",
    your_role: "Tu papel",
    no_family: Message {
        title: "Todavía sin familia",
        text: "Si alguien te invitó, escribe su código. Para crear tu propia familia, usa la aplicación Luminous en tu ordenador.",
    },
    place_off: Message {
        title: "Tu lugar está desactivado",
        text: "Alguien de {} lo ha desactivado por ahora. No se ha perdido nada; pide que lo vuelvan a activar.",
    },
    enter_code: "Escribir un código de invitación",
    screens: "Pantallas",
    no_screens: "Aún no hay pantallas enlazadas.",
    sign_out: "Cerrar sesión",
    sign_out_everywhere: "Cerrar sesión en todas partes",
    everywhere_text: "Cierra tu sesión en todos los navegadores y aplicaciones, aquí y en otros sitios. Útil si se perdió un teléfono.",
    signed_out: Message {
        title: "Has cerrado la sesión",
        text: "Hasta pronto. Puedes cerrar esta página.",
    },
    join: Message { title: "Unirse a una familia", text: "Escribe el código que te dieron." },
    join_first: Message {
        title: "Unirse a una familia",
        text: "Primero inicia sesión o crea una cuenta. Después escribe el código que te dieron.",
    },
    code: "Código de invitación",
    code_hint: "Diez letras y cifras, como K7M3Q XW92H. Las mayúsculas y los espacios no importan.",
    go_on: "Continuar",
    back: "Atrás",
    home: "A la página principal",
    try_again: "Intentarlo de nuevo",
    code_format: "Eso no puede ser un código: tiene diez letras y cifras, y nunca la letra U.",
    code_unknown: "No hay ninguna invitación abierta con este código. Quizá ya se usó, se retiró o caducó.",
    invited_by: "{} te invita a la familia",
    invited_to: "Tienes una invitación",
    as_role: "Te unes con el papel: {}",
    accept: "Unirme a la familia",
    member_already: Message {
        title: "Ya estás en una familia",
        text: "Solo se puede estar en una familia a la vez. Déjala primero en la aplicación de tu ordenador. La invitación sigue abierta.",
    },
    too_many_codes: Message {
        title: "Demasiados códigos erróneos",
        text: "Espera diez minutos antes de volver a intentarlo y pide otra vez el código.",
    },
    family_full: Message {
        title: "Esta familia está completa",
        text: "Una familia tiene como máximo 50 miembros. Pregunta a quien te invitó.",
    },
    cancelled: Message {
        title: "No has iniciado sesión",
        text: "Volviste antes de terminar. No ha pasado nada.",
    },
    not_open: Message {
        title: "Este inicio de sesión ya no está abierto",
        text: "Ya terminó, tardó más de diez minutos o empezó en otro navegador. Solo tienes que empezar de nuevo.",
    },
    bad_link: Message {
        title: "Este enlace no es correcto",
        text: "Lleva a un lugar que no es nuestro, así que no lo seguimos.",
    },
    refused: Message {
        title: "No se pudo iniciar la sesión",
        text: "Tu proveedor de identidad no quiso terminarlo. Inténtalo de nuevo; si sigue así, avisa a quien cuida de este servidor.",
    },
    provider_busy: Message {
        title: "Ahora mismo no se puede iniciar sesión",
        text: "Tu proveedor de identidad no responde como debería. Espera un minuto y vuelve a intentarlo.",
    },
    forgery: Message {
        title: "Eso no venía de nuestra página",
        text: "Por seguridad no se hizo nada. Ve a la página principal y hazlo desde allí.",
    },
    failed: Message {
        title: "Algo falló, y es cosa nuestra",
        text: "No se cambió nada. Inténtalo de nuevo en un minuto.",
    },
    too_fast: Message {
        title: "Un momento",
        text: "Llegaron demasiadas peticiones desde tu red. Espera un minuto y vuelve a intentarlo.",
    },
    no_page: Message {
        title: "Aquí no hay ninguna página",
        text: "Quizá era la dirección de un paso intermedio. Empieza de nuevo en la página principal.",
    },
    request_id: "Para quien cuida de este servidor",
    roles: Roles {
        owner: "Titular",
        admin: "Administración",
        adult: "Persona adulta",
        teen: "Adolescente",
        child: "Niña o niño",
        caregiver: "Cuidado",
        display: "Pantalla",
    },
};
