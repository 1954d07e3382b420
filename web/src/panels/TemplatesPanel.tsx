import { listTemplates, type TemplateView } from "@/api/library";
import { openTemplate } from "@/files/opening";
import { t } from "@/strings";
import { Shell } from "./Shell";
import { useLoaded } from "./useLoaded";

/** Workflows to start from. */
export default function TemplatesPanel() {
  const { value, problem, reload } = useLoaded(listTemplates);
  return (
    <Shell problem={problem} loading={value === undefined} empty={value?.length === 0} onRetry={reload}>
      <ul className="panel-list templates">
        {value?.map((template) => (
          <Entry key={template.name} template={template} />
        ))}
      </ul>
    </Shell>
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
        onClick={() => void openTemplate(name)}
      >
        {picture !== null && <img src={picture} alt="" loading="lazy" />}
        <strong>{title}</strong>
        <span className="quiet">{description}</span>
        {!valid && <span className="panel-problem">{t("notRunnable", { why })}</span>}
      </button>
    </li>
  );
}
