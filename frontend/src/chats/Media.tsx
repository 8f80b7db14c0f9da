import { useState } from 'react';
import type { Message } from 'umbler-hub-client';

import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { bytes } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';
import { type FileState, useFile } from './useFile.ts';

type File = NonNullable<Message['file']>;

/** A file as it can be shown, and what is said in a recording. */
export function Media({ message }: { message: Message }) {
  const say = useWords();
  const { file } = message;
  if (file === null) return null;
  return (
    <>
      <Shown message={message} file={file} />
      {file.transcription !== undefined && (
        <p className="transcription">
          <span className="small">{say('transcription')}: </span>
          {file.transcription}
        </p>
      )}
    </>
  );
}

/** What can be shown is shown, and fetched only when it comes into sight; everything else is a link. */
function Shown({ message, file }: { message: Message; file: File }) {
  const say = useWords();
  const { type } = message;
  const { state, url, fail } = useFile(message);
  const name = file.name ?? named(say, type);
  const kind = file.contentType?.split('/')[0];
  if (url === null) return <Absent state={state} name={name} isPicture={kind === 'image'} />;
  // Another address is another try: nothing of the one that failed is kept.
  if (kind === 'image') return <Picture key={url} url={url} name={name} fail={fail} />;
  if (kind === 'audio') return <audio controls preload="none" src={url} aria-label={name} onError={fail} />;
  if (kind === 'video')
    return <video className="picture" controls preload="none" src={url} aria-label={name} onError={fail} />;
  return <Document file={file} url={url} name={name} />;
}

/** A file that is not there: its name, and why. */
function Absent({ state, name, isPicture }: { state: FileState; name: string; isPicture: boolean }) {
  const say = useWords();
  return (
    <div className={isPicture ? 'picture missing' : 'document'} data-file={state}>
      <Icon name={isPicture ? 'picture' : 'document'} />
      <span className="main">
        <span title={name}>{name}</span>
        <span className="small">{say(`file_${state === 'ready' ? 'asking' : state}`)}</span>
      </span>
    </div>
  );
}

interface PictureProps {
  url: string;
  name: string;
  fail: () => void;
}

/** In a box of its own size from the beginning, that nothing moves as it comes; a click shows it large. */
function Picture({ url, name, fail }: PictureProps) {
  const say = useWords();
  const [isLoaded, setLoaded] = useState(false);
  const [isLarge, setLarge] = useState(false);
  return (
    <>
      <button
        type="button"
        className="picture"
        data-loading={!isLoaded || undefined}
        onClick={() => setLarge(true)}
        aria-label={`${say('enlarge')}: ${name}`}
      >
        <img src={url} alt={name} loading="lazy" onLoad={() => setLoaded(true)} onError={fail} />
      </button>
      {isLarge && (
        <Dialog title={name} close={() => setLarge(false)} isWide>
          <img className="large" src={url} alt={name} />
          <a href={url} target="_blank" rel="noopener noreferrer">
            {say('file')}
          </a>
        </Dialog>
      )}
    </>
  );
}

function Document({ file, url, name }: { file: File; url: string; name: string }) {
  const say = useWords();
  const kind = file.contentType?.split('/').at(-1)?.toUpperCase();
  return (
    <a className="document" href={url} target="_blank" rel="noopener noreferrer" title={name}>
      <Icon name="document" />
      <span className="main">
        <span>
          <span className="hidden">{say('file')}: </span>
          {name}
        </span>
        <span className="small">
          {[kind, file.size === null ? null : bytes(file.size)].filter(Boolean).join(' · ')}
        </span>
      </span>
    </a>
  );
}
