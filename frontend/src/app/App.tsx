import { Dashboard } from '../dashboard/Dashboard.tsx';

export function App() {
  return (
    <main>
      <h1>Umbler Hub</h1>
      <Dashboard />
    </main>
  );
}
