import { useState } from 'react';
import type { Message } from 'umbler-hub-client';

import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { bytes } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';

const SECURE = /^https:\/\//i;

type File = NonNullable<Message['file']>;

/** What can be shown is shown, and fetched only when it comes into sight; everything else is a link. */
export function Media({ message: { file, type } }: { message: Message }) {
  const say = useWords();
  const [broken, setBroken] = useState(false);
  if (file === null) return null;
  const name = file.name ?? named(say, type);
  if (file.url === null || !SECURE.test(file.url)) return <p className="quiet">{name}</p>;
  const kind = file.contentType?.split('/')[0];
  const fail = () => setBroken(true);
  if (kind === 'image') return <Picture url={file.url} name={name} broken={broken} fail={fail} />;
  if (kind === 'audio' && !broken)
    return <audio controls preload="none" src={file.url} aria-label={name} onError={fail} />;
  if (kind === 'video' && !broken)
    return <video className="picture" controls preload="none" src={file.url} aria-label={name} onError={fail} />;
  return <Document file={file} url={file.url} name={name} />;
}

interface PictureProps {
  url: string;
  name: string;
  broken: boolean;
  fail: () => void;
}

/** In a box of its own size from the beginning, that nothing moves as it comes; a click shows it large. */
function Picture({ url, name, broken, fail }: PictureProps) {
  const say = useWords();
  const [isLoaded, setLoaded] = useState(false);
  const [isLarge, setLarge] = useState(false);
  if (broken)
    return (
      <a className="picture missing" href={url} target="_blank" rel="noopener noreferrer">
        <Icon name="picture" />
        <span>{name}</span>
        <span className="small">{say('pictureAway')}</span>
      </a>
    );
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
    <a className="document" href={url} target="_blank" rel="noopener noreferrer">
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
