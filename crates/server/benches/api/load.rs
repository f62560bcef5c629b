//! A load generator that costs little itself: raw HTTP/1.1 over kept-alive connections, requests
//! made beforehand, one thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use luminous_domain::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Who is asked, and with what: each connection walks through the requests in turn.
#[derive(Clone)]
pub struct Target {
    /// Where.
    pub address: SocketAddr,
    /// Whole requests, head and all.
    pub requests: Arc<Vec<Vec<u8>>>,
    /// How many connections at once.
    pub connections: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answers with status 200.
    pub answered: u64,
    /// How long each took, in microseconds; from when it was due, for paced requests.
    pub micros: Vec<u32>,
    /// How long it all took.
    pub took: Duration,
}

impl Tally {
    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    /// The time within which this share of the answers came, in milliseconds.
    pub fn percentile_ms(&mut self, share: f64) -> f64 {
        self.micros.sort_unstable();
        let index = ((self.micros.len() as f64 * share) as usize).min(self.micros.len() - 1);
        f64::from(self.micros[index]) / 1000.0
    }
}

/// As fast as the answers come, for `lasts`.
pub async fn flat_out(target: &Target, lasts: Duration) -> anyhow::Result<Tally> {
    run(target, lasts, None).await
}

/// At `rate` requests per second in all, whether or not the answers keep up.
pub async fn paced(target: &Target, lasts: Duration, rate: f64) -> anyhow::Result<Tally> {
    run(target, lasts, Some(rate)).await
}

/// Each request once, as fast as the answers come.
pub async fn each_once(target: &Target) -> anyhow::Result<Tally> {
    let begin = SystemClock.elapsed();
    let mut tasks = JoinSet::new();
    for number in 0..target.connections {
        let target = target.clone();
        tasks.spawn(async move {
            let mut line = Line::open(target.address).await?;
            for request in target.requests.iter().skip(number).step_by(target.connections) {
                line.ask(request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let answered = target.requests.len() as u64;
    Ok(Tally { answered, micros: Vec::new(), took: SystemClock.elapsed() - begin })
}

async fn run(target: &Target, lasts: Duration, rate: Option<f64>) -> anyhow::Result<Tally> {
    let begin = SystemClock.elapsed();
    let mut tasks = JoinSet::new();
    for number in 0..target.connections {
        let target = target.clone();
        let every = rate.map(|rate| Duration::from_secs_f64(target.connections as f64 / rate));
        tasks.spawn(async move { connection(target, number, begin, lasts, every).await });
    }
    let mut tally = Tally::default();
    while let Some(part) = tasks.join_next().await {
        let part = part??;
        tally.answered += part.len() as u64;
        tally.micros.extend(part);
    }
    tally.took = SystemClock.elapsed() - begin;
    Ok(tally)
}

async fn connection(
    target: Target,
    number: usize,
    begin: Duration,
    lasts: Duration,
    every: Option<Duration>,
) -> anyhow::Result<Vec<u32>> {
    let mut line = Line::open(target.address).await?;
    let mut micros = Vec::new();
    // Connections begin at different requests and, when paced, at different moments.
    let mut next = number * target.requests.len() / target.connections;
    let mut due =
        begin + every.unwrap_or_default().mul_f64(number as f64 / target.connections as f64);
    loop {
        let now = SystemClock.elapsed();
        if now - begin >= lasts {
            return Ok(micros);
        }
        let from = match every {
            None => now,
            Some(every) => {
                if due > now {
                    tokio::time::sleep(due - now).await;
                }
                let from = due;
                due += every;
                from
            }
        };
        line.ask(&target.requests[next % target.requests.len()]).await?;
        next += 1;
        let took = SystemClock.elapsed().saturating_sub(from);
        micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
}

/// One kept-alive connection.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024] })
    }

    /// Sends a request and reads its whole answer, which must be a 200 with a length.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                bail!("the connection was closed in the middle of an answer");
            }
            filled += read;
            if let Some(length) = whole(&self.buffer[..filled])? {
                if filled != length {
                    bail!("more came than was asked for");
                }
                return Ok(());
            }
        }
    }
}

/// The length of the answer that begins here, once its head is there.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..head])?;
    if !text.starts_with("HTTP/1.1 200") {
        bail!("not answered: {}", text.lines().next().unwrap_or_default());
    }
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?;
    let whole = head + 4 + length.1.trim().parse::<usize>()?;
    Ok((bytes.len() >= whole).then_some(whole))
}
