/** The signs of the panels: thin lines on a 20 px square. */
function icon(path: string) {
  return function Icon() {
    return (
      <svg
        width="20"
        height="20"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        aria-hidden="true"
      >
        <path d={path} strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    );
  };
}

export const QueueIcon = icon("M3 5h14M3 10h14M3 15h8");
export const HistoryIcon = icon("M10 6v4l3 2M3.5 10a6.5 6.5 0 1 0 2-4.7L3 7.5M3 3.5v4h4");
export const NodesIcon = icon("M3 4h5v5H3zM12 11h5v5h-5zM8 6.5h3.5a1 1 0 0 1 1 1V11");
export const ModelsIcon = icon("M10 2.5 17 6v8l-7 3.5L3 14V6zM3 6l7 3.5L17 6M10 9.5v8");
export const TemplatesIcon = icon("M3 3.5h6v6H3zM11 3.5h6v6h-6zM3 11.5h6v5H3zM11 11.5h6v5h-6z");
export const SavedIcon = icon("M3 5.5h5l1.5 2H17v8.5H3z");
export const ResultsIcon = icon("M3 4h14v12H3zM3 13l4-4 3.5 3.5L13 10l4 4M13 7.2v.1");
export const SettingsIcon = icon("M3 6h8M15 6h2M13 4v4M3 14h2M9 14h8M7 12v4");
export const ShortcutsIcon = icon(
  "M2.5 5.5h15v9h-15zM5.5 8.5v.1M8.5 8.5v.1M11.5 8.5v.1M14.5 8.5v.1M6.5 11.5h7",
);
export const LogIcon = icon("M4 3h12v14H4zM7 7h6M7 10h6M7 13h3");
export const SweepIcon = icon("M3 3h4v4H3zM3 10h4v4H3zM10 3h4v4h-4zM10 10h4v4h-4zM17 3v11M3 17h14");
