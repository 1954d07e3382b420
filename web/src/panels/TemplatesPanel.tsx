import { useState } from "react";
import { listTemplates, type TemplateView } from "@/api/library";
import { openTemplate } from "@/files/opening";
import { t } from "@/strings";
import { Filter, Shell } from "./Shell";
import { templateGroups } from "./templateList";
import { useLoaded } from "./useLoaded";

/** Workflows to start from. */
export default function TemplatesPanel() {
  const { value, problem, reload } = useLoaded(listTemplates);
  const [words, setWords] = useState("");
  const { ready, lacking } = templateGroups(value ?? [], words);
  const none = value !== undefined && value.length > 0 && ready.length + lacking.length === 0;
  return (
    <Shell problem={problem} loading={value === undefined} empty={value?.length === 0} onRetry={reload}>
      <Filter value={words} onChange={setWords} />
      {none && <p className="quiet">{t("nothingFound")}</p>}
      <List templates={ready} />
      {lacking.length > 0 && <h3>{t("templatesLacking")}</h3>}
      <List templates={lacking} />
    </Shell>
  );
}

function List({ templates }: { templates: readonly TemplateView[] }) {
  return (
    <ul className="panel-list templates">
      {templates.map((template) => (
        <Entry key={template.name} template={template} />
      ))}
    </ul>
  );
}

function Entry({
  template: { name, title, description, valid, issues, picture },
}: {
  template: TemplateView;
}) {
  const why = issues.find(({ severity }) => severity === "error")?.message ?? "";
  return (
    <li>
      <button
        className="template"
        aria-label={t("useTemplate", { title })}
        title={description}
        onClick={() => void openTemplate(name)}
      >
        {picture === null ? (
          <span className="template-picture" />
        ) : (
          <img src={picture} alt="" loading="lazy" />
        )}
        <span className="template-text">
          <strong>{title}</strong>
          <span className="quiet template-about">{description}</span>
          {!valid && <span className="panel-problem">{t("notRunnable", { why })}</span>}
        </span>
      </button>
    </li>
  );
}
