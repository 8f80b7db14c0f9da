import { Link } from 'react-router';

import { useWords } from '../words/words.ts';

export function Lost() {
  const say = useWords();
  return (
    <div className="page blank">
      <h1>{say('lost')}</h1>
      <Link to="/live">{say('home')}</Link>
    </div>
  );
}
