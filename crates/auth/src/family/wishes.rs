//! Wishes whose answer was lost: asked for again, they are the same wish.

use std::collections::VecDeque;

use uuid::Uuid;

/// So many at once; the oldest gives way.
const MOST: usize = 32;

/// What is wished, by digest: the session, the method, the path and the body.
pub(crate) type Wish = [u8; 32];

/// The idempotency keys of what has no verdict yet. In memory only: the family server forgets them
/// too, after a day.
#[derive(Debug, Default)]
pub(crate) struct Wishes(VecDeque<(Wish, Uuid)>);

impl Wishes {
    /// The key of `wish`: its own while it has no verdict, else `fresh`.
    pub(crate) fn key(&mut self, wish: Wish, fresh: Uuid) -> Uuid {
        if let Some((_, key)) = self.0.iter().find(|(known, _)| *known == wish) {
            return *key;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((wish, fresh));
        fresh
    }

    /// The verdict came.
    pub(crate) fn settle(&mut self, key: Uuid) {
        self.0.retain(|(_, known)| *known != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_keeps_its_key_until_its_verdict() {
        let mut wishes = Wishes::default();
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(wishes.key([1; 32], first), first);
        assert_eq!(wishes.key([1; 32], second), first);
        assert_eq!(wishes.key([2; 32], second), second, "another wish");
        wishes.settle(first);
        assert_eq!(wishes.key([1; 32], Uuid::from_u128(3)), Uuid::from_u128(3));
        for number in 0..=255 {
            wishes.key([number; 32], Uuid::from_u128(u128::from(number)));
        }
        assert_eq!(wishes.0.len(), MOST);
    }
}
