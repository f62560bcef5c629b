//! The wall: read, kept, shown.

use std::time::Duration;

use luminous_wire::api::WallView;

use super::answer::Refusal;
use super::driver::Driver;
use super::files::KeptWall;
use super::tokens::name_of;

/// How often the wall is read while no push would bring the news.
const WITHOUT_PUSH: Duration = Duration::from_secs(60);

/// And while one would: it is a hint, so it is not relied on.
const BESIDE_PUSH: Duration = Duration::from_secs(600);

/// How long the welcome is shown.
const WELCOME: Duration = Duration::from_secs(6);

/// How often a wall that did not change is written down all the same, with its newer time.
const KEEP_WALL: Duration = Duration::from_secs(3600);

impl Driver {
    pub(super) fn begin_following(&mut self) {
        self.failures = 0;
        self.trouble = None;
        self.listen_to_family();
    }

    pub(super) async fn read_wall(&mut self) {
        let now = self.now();
        let Some(linked) = &self.linked else { return };
        let Some(access) = linked.access.as_ref().filter(|access| access.ends_at > now) else {
            return self.drop_access();
        };
        let token = access.token.clone();
        match self.server.get::<WallView>("/api/wall", &token).await {
            Ok(wall) => {
                self.used();
                self.reached().await;
                self.failures = 0;
                self.trouble = None;
                self.caught_up(wall.seq);
                let pause = if self.is_pushed() { BESIDE_PUSH } else { WITHOUT_PUSH };
                self.read_again_at(self.now() + pause);
                self.take_wall(wall).await;
            }
            Err(Refusal::Word(word)) if word.status == 401 => {
                self.reached().await;
                self.drop_access();
                if word.code == "device.revoked" {
                    self.make_sure().await;
                }
            }
            Err(refusal) => {
                let at = self.failed(&refusal).await;
                self.read_again_at(at);
            }
        }
    }

    fn read_again_at(&mut self, at: Duration) {
        if let Some(linked) = &mut self.linked {
            linked.read_at = Some(at);
        }
    }

    async fn take_wall(&mut self, wall: WallView) {
        let now = self.now();
        let as_of_ms = self.server.time().guess(&*self.inner.ports.clock).as_millisecond();
        let Some(linked) = &mut self.linked else { return };
        if let Some(at) = comes_down(&wall, as_of_ms) {
            let at = now + at;
            linked.read_at = Some(linked.read_at.map_or(at, |due| due.min(at)));
        }
        if std::mem::take(&mut linked.is_new) {
            linked.welcome_until = Some(now + WELCOME);
        }
        let is_changed = linked.wall.as_ref().is_none_or(|kept| kept.wall != wall);
        let is_old = linked.wall_kept_at.is_none_or(|at| now >= at + KEEP_WALL);
        let name = name_of(&wall);
        let kept = KeptWall::new(wall, as_of_ms);
        linked.wall = Some(kept.clone());
        if is_changed || is_old {
            linked.wall_kept_at = Some(now);
        }
        // Also when only the time is newer: by it the screen says whether what it shows is old.
        self.publish();
        if is_changed || is_old {
            self.on_disk(move |folder| folder.write_wall(&kept)).await;
        }
        if name.is_some() && name != self.saved.former_name {
            self.saved.former_name = name;
            self.save().await;
        }
    }

    pub(super) fn end_welcome(&mut self) {
        if let Some(linked) = &mut self.linked {
            linked.welcome_until = None;
        }
    }
}

/// In how long the first note comes down by itself, and a second: then the wall is another one.
fn comes_down(wall: &WallView, now_ms: i64) -> Option<Duration> {
    let first = wall.notes.iter().filter_map(|note| note.expires_at_ms).min()?;
    let left_ms = u64::try_from(first.saturating_sub(now_ms)).unwrap_or_default();
    Some(Duration::from_millis(left_ms.saturating_add(1000)))
}
