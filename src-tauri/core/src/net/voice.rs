//! What guests said, kept in a folder so that it plays again without a network: personal, so gone with the sign-in.

use std::path::PathBuf;
use std::time::SystemTime;

use uuid::Uuid;

/// Bytes that are kept at most: some hundred messages of half a minute.
const MOST: u64 = 100 * 1024 * 1024;

/// The folder of recordings.
#[derive(Clone, Debug)]
pub struct VoiceCache {
    folder: PathBuf,
}

impl VoiceCache {
    /// A cache in a folder, which is made when something is put into it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A recording that was heard here before.
    pub async fn get(&self, id: Uuid) -> Option<Vec<u8>> {
        tokio::fs::read(self.file(id)).await.ok()
    }

    /// Keeps a recording; the oldest go when there are too many. A failure is logged: it plays all the same.
    pub async fn put(&self, id: Uuid, wav: &[u8]) {
        if let Err(error) = self.try_put(id, wav).await {
            tracing::warn!(%error, "A recording isn't kept.");
        }
    }

    /// Removes all.
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
        // Whole or not at all: a part of a recording is none.
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
