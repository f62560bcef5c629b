//! A primary and its standby: two real servers, the second fed by the first (streaming replication).

use std::fs;

use super::{PostgresServer, ServerOptions, TestDatabase, USER, random_hex};

impl ServerOptions {
    /// For a server that has a standby, and for that standby.
    #[must_use]
    pub fn replicated() -> Self {
        let settings = ["wal_level=replica", "max_wal_senders=4", "wal_keep_size=256MB"];
        Self { settings: settings.map(str::to_owned).to_vec(), tls: None }
    }
}

impl PostgresServer {
    /// A standby of this server, which began with [`ServerOptions::replicated`]: it takes no writes
    /// before [`PostgresServer::promote`].
    ///
    /// # Panics
    /// When it cannot be made or does not start.
    #[must_use]
    pub fn follow(&self) -> Self {
        let folder = std::env::temp_dir().join(format!("luminous-postgres-{}", random_hex()));
        let copy = |standby: &Self| {
            let mut command = standby.command("pg_basebackup");
            command.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-U", USER]);
            command.arg("-D").arg(standby.folder.join("data"));
            // The settings that make it a standby, and what is written meanwhile.
            command.args(["-R", "-X", "stream", "-c", "fast", "--no-sync"]);
            assert!(command.status().unwrap().success(), "pg_basebackup");
        };
        Self::begin(folder, self.password.clone(), &ServerOptions::replicated(), 0, copy)
    }

    /// Acknowledges nothing from now on before its standby has it on the disk.
    pub async fn wait_for_standbys(&self) {
        let client = self.client("postgres").await;
        client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the standby has applied whatever was written until now.
    pub async fn replicated(&self) {
        let client = self.client("postgres").await;
        let sql = "SELECT pg_current_wal_flush_lsn()::text";
        let now: String = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql =
            format!("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '{now}'::pg_lsn");
        while client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Whatever is written from now on does not get to the standby any more.
    pub async fn stop_replicating(&self) {
        let client = self.client("postgres").await;
        let senders = client.query("SELECT pid FROM pg_stat_replication", &[]).await.unwrap();
        let senders: Vec<_> = senders.iter().map(|row| row.get::<_, i32>(0).to_string()).collect();
        assert!(!senders.is_empty(), "nobody follows");
        self.signal("STOP", &senders);
    }

    /// Kills each of its processes with signal 9; it does not come back.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let mut all = vec![pid.to_owned()];
        all.extend(children.unwrap_or_default().split_whitespace().map(str::to_owned));
        self.signal("KILL", &all);
    }

    fn signal(&self, signal: &str, processes: &[String]) {
        let mut shell = self.command("/bin/sh");
        shell.args(["-c", "kill -s \"$0\" \"$@\"; true", signal]).args(processes);
        assert!(shell.status().unwrap().success());
    }

    /// Makes the standby the primary.
    ///
    /// # Panics
    /// When it is none.
    pub fn promote(&self) {
        assert!(self.control(&["-w", "-t", "60", "promote"]), "no standby");
    }
}

impl TestDatabase<'_> {
    /// Where it is, on whichever of its own server and that one takes writes.
    #[must_use]
    pub fn url_with(&self, standby: &PostgresServer) -> String {
        let (first, second) = (self.server.address(), standby.address());
        format!("postgres://{USER}:{}@{first},{second}/{}", self.server.password, self.name)
    }
}
