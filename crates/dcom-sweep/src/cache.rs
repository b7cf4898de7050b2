//! Points that have been computed before, by content: an unchanged point is never computed twice.
//!
//! A folder per fingerprint of the simulator's sources holds segments. A segment is a pair of files that one process
//! at a time appends to: `N.data` with one record per point, `N.keys` with the key of each record and where it begins. The record is
//! written before its key, so a process that is killed leaves at most a record without a key; torn ends and damaged
//! records are told by their checksums and count as not there. Processes lock a segment to append to it and
//! read those of all others. In memory there is 16 bytes per entry: half the key, and the place.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use etcetera::BaseStrategy as _;
use thiserror::Error;

use crate::outcome::Outcome;
use crate::space::Identity;

/// Environment variable with the cache's folder.
pub const CACHE_VARIABLE: &str = "DCOM_CACHE_DIR";

/// Key, place, checksum.
const KEY_RECORD: usize = 16 + 8 + 4;

/// Length of the payload, checksum of key and payload, key.
const DATA_HEADER: usize = 4 + 4 + 16;

/// Longest payload. Assumed: a hundred times the longest reason.
const PAYLOAD_LIMIT: usize = 1 << 20;

/// No more is stored in a segment beyond this. Assumed: some ten million points, and what a disk can spare.
const SEGMENT_LIMIT_BYTES: u64 = 8 << 30;

/// Bits of a place that are the offset; the rest is the segment.
const OFFSET_BITS: u32 = 40;

/// What names a point: a hash of all that its numbers depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// Why the cache cannot be used.
#[derive(Debug, Error)]
#[error("cache {}: {source}; leave it out with --no-cache", path.display())]
pub struct CacheError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

/// The cache of one version of the simulator, open for reading and appending.
#[derive(Debug)]
pub struct Cache {
    index: Mutex<HashMap<u64, u64>>,
    segments: Vec<Mutex<File>>,
    own: Mutex<Own>,
}

/// The segment that this process appends to.
#[derive(Debug)]
struct Own {
    number: u64,
    keys: File,
    data: File,
    end: u64,
}

/// What is in a cache, for one version of the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Fingerprint of the version's sources.
    pub sources: String,
    /// Files.
    pub segments: u64,
    /// Points.
    pub entries: u64,
    /// Size of the files.
    pub bytes: u64,
}

/// The folder of the user's cache: that of the environment variable, or else where the system keeps caches.
///
/// # Errors
/// There is no home directory.
pub fn default_folder() -> Result<PathBuf, CacheError> {
    if let Some(folder) = std::env::var_os(CACHE_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    match etcetera::choose_base_strategy() {
        Ok(strategy) => Ok(strategy.cache_dir().join("dcom")),
        Err(error) => Err(CacheError {
            path: PathBuf::from("~/.cache/dcom"),
            source: io::Error::other(error),
        }),
    }
}

impl Key {
    pub(crate) fn of(hash: &blake3::Hash) -> Key {
        let (half, _) = hash
            .as_bytes()
            .split_first_chunk::<16>()
            .expect("a hash has 32 bytes");
        Key(*half)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn short(self) -> u64 {
        let (half, _) = self.0.split_first_chunk::<8>().expect("a key has 16 bytes");
        u64::from_le_bytes(*half)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Cache {
    /// Opens the cache of a version in `folder`, which is made where there is none.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(folder: &Path, sources: &str) -> Result<Cache, CacheError> {
        let folder = folder.join(sources);
        let fail = |source| CacheError {
            path: folder.clone(),
            source,
        };
        fs::create_dir_all(&folder).map_err(fail)?;
        let own = Own::claim(&folder).map_err(fail)?;
        let mut index = HashMap::new();
        let mut segments = Vec::new();
        let last = numbers(&folder)
            .map_err(fail)?
            .into_iter()
            .max()
            .unwrap_or(own.number);
        for number in 0..=last {
            let (keys, data) = names(&folder, number);
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(data)
                .map_err(fail)?;
            segments.push(Mutex::new(file));
            for (key, offset) in read_keys(&keys).map_err(fail)? {
                index.insert(key.short(), (number << OFFSET_BITS) | offset);
            }
        }
        Ok(Cache {
            index: Mutex::new(index),
            segments,
            own: Mutex::new(own),
        })
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.index).len()
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The outcome of a point under either of its keys: with numbers, or with the reason why it has none.
    pub(crate) fn known(&self, identity: &Identity) -> Option<Outcome> {
        self.get(identity.numbers)
            .or_else(|| self.get(identity.reason))
    }

    /// The outcome of a point, if it is there and whole.
    pub fn get(&self, key: Key) -> Option<Outcome> {
        let place = *lock(&self.index).get(&key.short())?;
        let segment = usize::try_from(place >> OFFSET_BITS).ok()?;
        let offset = place & ((1 << OFFSET_BITS) - 1);
        let (found, payload) = read_record(&mut lock(self.segments.get(segment)?), offset)?;
        if found != key {
            return None;
        }
        Outcome::decode(&payload)
    }

    /// Adds outcomes.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn put(&self, outcomes: &[(Key, Vec<u8>)]) -> io::Result<()> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut own = lock(&self.own);
        if own.end > SEGMENT_LIMIT_BYTES {
            // The next process begins another one.
            return Err(io::Error::other("the segment is full"));
        }
        let (mut data, mut keys, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (key, payload) in outcomes {
            let offset = own.end + data.len() as u64;
            data.extend(
                u32::try_from(payload.len())
                    .expect("a point is small")
                    .to_le_bytes(),
            );
            data.extend(checksum(&[key.as_bytes(), payload]).to_le_bytes());
            data.extend(key.as_bytes());
            data.extend(payload);
            let place = offset.to_le_bytes();
            keys.extend(key.as_bytes());
            keys.extend(place);
            keys.extend(checksum(&[key.as_bytes(), &place]).to_le_bytes());
            places.push((key.short(), (own.number << OFFSET_BITS) | offset));
        }
        own.append(&data, &keys)?;
        lock(&self.index).extend(places);
        Ok(())
    }
}

impl Own {
    /// Appends records and their keys, or neither: what follows a torn write would not be where its key says.
    fn append(&mut self, data: &[u8], keys: &[u8]) -> io::Result<()> {
        let keys_end = self.keys.metadata()?.len();
        let written = self
            .data
            .write_all(data)
            .and_then(|()| self.keys.write_all(keys));
        if let Err(error) = written {
            let undone = self
                .data
                .set_len(self.end)
                .and_then(|()| self.keys.set_len(keys_end));
            if undone.is_err() {
                // Whatever lies behind the end now, nothing is put there.
                self.end = u64::MAX;
            }
            return Err(error);
        }
        self.end += data.len() as u64;
        Ok(())
    }

    /// The first segment with room that no other process holds, ready to append to.
    fn claim(folder: &Path) -> io::Result<Own> {
        let mut number = 0;
        loop {
            let (keys, data) = names(folder, number);
            let mut options = OpenOptions::new();
            options.read(true).append(true).create(true);
            let keys = options.open(keys)?;
            match keys.try_lock() {
                Ok(()) => {
                    let data = options.open(data)?;
                    let end = data.metadata()?.len();
                    if end > SEGMENT_LIMIT_BYTES {
                        number += 1;
                        continue;
                    }
                    // A torn key would shift all that follow it.
                    let whole = keys.metadata()?.len() / KEY_RECORD as u64 * KEY_RECORD as u64;
                    keys.set_len(whole)?;
                    return Ok(Own {
                        number,
                        keys,
                        data,
                        end,
                    });
                }
                Err(TryLockError::WouldBlock) => number += 1,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

fn names(folder: &Path, number: u64) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{number}.keys")),
        folder.join(format!("{number}.data")),
    )
}

/// The numbers of a folder's segments.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "keys")
        {
            numbers.extend(
                path.file_stem()
                    .and_then(|stem| stem.to_str()?.parse::<u64>().ok()),
            );
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn read_keys(path: &Path) -> io::Result<Vec<(Key, u64)>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (records, _) = bytes.as_chunks::<KEY_RECORD>();
    let whole = records.iter().filter_map(|record| {
        let (key, rest) = record.split_first_chunk::<16>()?;
        let (place, check) = rest.split_first_chunk::<8>()?;
        let offset = u64::from_le_bytes(*place);
        let right = checksum(&[key, place]).to_le_bytes() == check && offset >> OFFSET_BITS == 0;
        right.then_some((Key(*key), offset))
    });
    Ok(whole.collect())
}

/// A record and its key, if it is whole.
fn read_record(file: &mut File, offset: u64) -> Option<(Key, Vec<u8>)> {
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut header = [0; DATA_HEADER];
    file.read_exact(&mut header).ok()?;
    let (length, rest) = header.split_first_chunk::<4>()?;
    let (check, key) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length))
        .ok()
        .filter(|length| *length <= PAYLOAD_LIMIT)?;
    let mut payload = vec![0; length];
    file.read_exact(&mut payload).ok()?;
    let key = Key(*key.first_chunk::<16>()?);
    let whole = checksum(&[key.as_bytes(), &payload]).to_le_bytes() == *check;
    whole.then_some((key, payload))
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// A thread that panicked while it held the lock left nothing half done in memory.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a cache holds, version by version.
///
/// # Errors
/// What the operating system says; a cache that does not exist is empty.
pub fn contents(folder: &Path) -> Result<Vec<Contents>, CacheError> {
    let fail = |source| CacheError {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for version in versions(folder).map_err(fail)? {
        let mut contents = Contents {
            sources: version.clone(),
            segments: 0,
            entries: 0,
            bytes: 0,
        };
        let inner = folder.join(&version);
        for number in numbers(&inner).map_err(fail)? {
            let (keys, data) = names(&inner, number);
            contents.segments += 1;
            contents.entries += read_keys(&keys).map_err(fail)?.len() as u64;
            for file in [keys, data] {
                contents.bytes += fs::metadata(file).map_or(0, |metadata| metadata.len());
            }
        }
        found.push(contents);
    }
    Ok(found)
}

/// Every whole entry of a version.
///
/// # Errors
/// What the operating system says.
pub fn entries(
    folder: &Path,
    sources: &str,
    mut each: impl FnMut(Key, Outcome),
) -> Result<(), CacheError> {
    let folder = folder.join(sources);
    let fail = |source| CacheError {
        path: folder.clone(),
        source,
    };
    if !folder.is_dir() {
        return Ok(());
    }
    for number in numbers(&folder).map_err(fail)? {
        let (keys, data) = names(&folder, number);
        let mut file = File::open(data).map_err(fail)?;
        for (_, offset) in read_keys(&keys).map_err(fail)? {
            let record = read_record(&mut file, offset);
            if let Some((key, outcome)) =
                record.and_then(|(key, payload)| Some((key, Outcome::decode(&payload)?)))
            {
                each(key, outcome);
            }
        }
    }
    Ok(())
}

/// Removes what a cache holds of all versions, or of all but one. Only files that a cache has are touched.
///
/// # Errors
/// What the operating system says, or that another process appends to a segment.
pub fn clear(folder: &Path, keep: Option<&str>) -> Result<(), CacheError> {
    let fail = |source| CacheError {
        path: folder.to_owned(),
        source,
    };
    for version in versions(folder).map_err(fail)? {
        if keep == Some(version.as_str()) {
            continue;
        }
        let inner = folder.join(&version);
        for number in numbers(&inner).map_err(fail)? {
            let (keys, data) = names(&inner, number);
            let held = File::open(&keys).map_err(fail)?;
            if let Err(TryLockError::WouldBlock) = held.try_lock() {
                return Err(fail(io::Error::other("a sweep that is running uses it")));
            }
            for file in [data, keys] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(fail(error));
                    }
                    _ => {}
                }
            }
        }
        fs::remove_dir(&inner).map_err(fail)?;
    }
    Ok(())
}

/// Folders whose name is a fingerprint.
fn versions(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut versions = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
            versions.push(name.into_owned());
        }
    }
    versions.sort();
    Ok(versions)
}
