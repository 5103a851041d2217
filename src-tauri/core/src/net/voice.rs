//! Disk cache of guests' recordings, for playback without a network. Recordings are personal data, so signing out
//! deletes them.

use std::path::PathBuf;
use std::time::SystemTime;

use uuid::Uuid;

/// Size limit in bytes: some hundred messages of half a minute.
const MOST: u64 = 100 * 1024 * 1024;

/// The folder of cached recordings.
#[derive(Clone, Debug)]
pub struct VoiceCache {
    folder: PathBuf,
}

impl VoiceCache {
    /// Creates a cache in a folder; the folder is created with the first recording.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns a cached recording.
    pub async fn get(&self, id: Uuid) -> Option<Vec<u8>> {
        tokio::fs::read(self.file(id)).await.ok()
    }

    /// Stores a recording and evicts the oldest when the cache is full. A failure is only logged, as playback doesn't
    /// depend on it.
    pub async fn put(&self, id: Uuid, wav: &[u8]) {
        if let Err(error) = self.try_put(id, wav).await {
            tracing::warn!(%error, "A recording isn't kept.");
        }
    }

    /// Deletes all recordings.
    pub async fn clear(&self) {
        match tokio::fs::remove_dir_all(&self.folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "Recordings couldn't be removed.");
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn file(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.wav"))
    }

    async fn try_put(&self, id: Uuid, wav: &[u8]) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.folder).await?;
        // Write to a temporary file and rename, so that no partial recording is ever visible.
        let part = self.folder.join(format!("{id}.part"));
        tokio::fs::write(&part, wav).await?;
        tokio::fs::rename(&part, self.file(id)).await?;
        self.make_room().await
    }

    async fn make_room(&self) -> std::io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut folder = tokio::fs::read_dir(&self.folder).await?;
        while let Some(file) = folder.next_entry().await? {
            let about = file.metadata().await?;
            files.push((about.modified()?, about.len(), file.path()));
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, file) in files {
            if total <= MOST {
                break;
            }
            tokio::fs::remove_file(file).await?;
            total -= bytes;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let cache = VoiceCache::new(folder.path().join("voice"));
        let id = Uuid::from_u128;
        let third = vec![0; usize::try_from(MOST / 3).unwrap()];
        for number in 1..=4 {
            cache.put(id(number), &third).await;
            let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(number).unwrap());
            let file = std::fs::File::options().write(true).open(cache.file(id(number))).unwrap();
            file.set_modified(old).unwrap();
        }
        assert!(cache.get(id(1)).await.is_none());
        assert_eq!(cache.get(id(4)).await.unwrap().len(), third.len());
        cache.clear().await;
        assert!(cache.get(id(4)).await.is_none());
    }
}
