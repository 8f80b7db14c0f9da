import { useWords } from '../words/words.ts';

/** The hub answers that it does not have this. */
export function Missing() {
  const say = useWords();
  return (
    <p className="blank" role="status">
      {say('missing')}
    </p>
  );
}
