//! The arguments of an invocation, read when their types are known.

use serde::de::DeserializeOwned;
use serde::de::value::SeqDeserializer;
use serde_json::value::RawValue;

/// Arguments as they came, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct Arguments(pub Vec<Box<RawValue>>);

impl Arguments {
    /// Reads them as a tuple (or array, or vector), of as many as there are: `("a".to_owned(), 1)` is
    /// `arguments.read::<(String, u32)>()`. None at all is `read::<[(); 0]>()`.
    ///
    /// # Errors
    /// Another number of arguments, or another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let listed = self.0.iter().map(|raw| &**raw);
        T::deserialize(SeqDeserializer::<_, serde_json::Error>::new(listed))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        let texts = |arguments: &Self| {
            arguments.0.iter().map(|raw| raw.get().to_owned()).collect::<Vec<_>>()
        };
        texts(self) == texts(other)
    }
}
