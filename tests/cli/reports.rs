//! Tests of what is told about programs: definitions looked up, findings for tools.

use std::fs;

use serde_json::Value;

use super::Place;

#[test]
fn doc_shows_the_library_and_the_program() {
    let place = Place::new();
    let all = place.run(&["doc"]).with(0).stdout;
    assert!(all.contains("\nlayers/dense\n  Dense ") && all.contains("  relu "), "{all}");
    let dense = place.run(&["doc", "Dense"]).with(0).stdout;
    assert!(dense.starts_with("layer Dense[i]("), "{dense}");
    for part in ["A linear map along the last axis", "\nexample\n  model M(", "layers/dense.model:", "param w[i, out]"]
    {
        assert!(dense.contains(part), "`{part}` is not in\n{dense}");
    }
    let missing = place.run(&["doc", "Dence"]).with(2);
    assert_eq!((missing.stdout.as_str(), missing.stderr.contains("did you mean `Dense`")), ("", true), "{missing:?}");

    // What the program declares hides what the library has.
    fs::write(place.path("own.model"), "## Mine. All mine.\nfn relu(x: [..]) -> [..] = x\n").unwrap();
    assert_eq!(place.run(&["doc", "own.model"]).with(0).stdout, "own.model\n  relu  Mine.\n");
    let own = place.run(&["doc", "relu", "own.model"]).with(0).stdout;
    assert!(own.contains("All mine") && own.contains("own.model:2"), "{own}");
    assert!(place.run(&["doc", "gelu", "own.model"]).with(0).stdout.starts_with("fn gelu("));
    place.run(&["doc", "relu", "nothing.model"]).says(&["E0811"]);
}

/// What a region of a document says, by lines and columns from 1.
fn said<'t>(text: &'t str, region: &Value) -> &'t str {
    let number = |key: &str| region[key].as_u64().unwrap_or_else(|| panic!("no {key} in {region}")) as usize;
    assert!(number("startLine") >= 1 && number("startColumn") >= 1, "{region}");
    assert_eq!(number("startLine"), number("endLine"), "a region of one line");
    let line = text.lines().nth(number("startLine") - 1).expect("a line of the text");
    let byte = |column: usize| line.char_indices().nth(column - 1).map_or(line.len(), |(byte, _)| byte);
    &line[byte(number("startColumn"))..byte(number("endColumn"))]
}

/// The document has what the schema of SARIF 2.1.0 requires of each object, and its indices and places fit.
#[test]
fn check_writes_sarif() {
    let place = Place::new();
    let text = "fn f(x: [..]) -> [..] = x\nfn f(x: [..]) -> [..] = x\nlet a = \"é\" + Dence\n";
    fs::write(place.path("a b.model"), text).unwrap();
    let ended = place.run(&["check", "--sarif", "a b.model"]).with(1);
    assert_eq!(ended.stderr, "");
    let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(document["version"], "2.1.0");
    assert!(document["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-schema-2.1.0.json")));
    let [run] = document["runs"].as_array().expect("runs").as_slice() else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "tensa");
    let rules = driver["rules"].as_array().expect("rules");
    for rule in rules {
        assert!(rule["id"].is_string() && rule["help"]["text"].is_string(), "{rule}");
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
    }
    let results = run["results"].as_array().expect("results");
    let codes: Vec<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    assert_eq!(codes, ["E0203", "E0201"]);
    for result in results {
        assert!(result["message"]["text"].is_string(), "{result}");
        assert!(["error", "warning", "note", "none"].contains(&result["level"].as_str().unwrap_or_default()));
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        for location in result["locations"].as_array().expect("places") {
            assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "a%20b.model");
        }
    }
    let place_of = |location: &Value| said(text, &location["physicalLocation"]["region"]).to_owned();
    assert_eq!(place_of(&results[0]["locations"][0]), "f");
    assert_eq!(place_of(&results[0]["relatedLocations"][0]), "f");
    assert_eq!(place_of(&results[1]["locations"][0]), "Dence");
    let change = &results[1]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "a%20b.model");
    assert_eq!(said(text, &change["replacements"][0]["deletedRegion"]), "Dence");
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "Dense");

    // A program without findings, and one that is not there.
    let clean: Value = serde_json::from_str(&place.run(&["check", "--sarif", "iris.model"]).with(0).stdout).unwrap();
    assert_eq!(clean["runs"][0]["results"], Value::Array(Vec::new()));
    let absent: Value = serde_json::from_str(&place.run(&["check", "--sarif", "no.model"]).with(1).stdout).unwrap();
    assert_eq!(absent["runs"][0]["results"][0]["ruleId"], "E0811");
    place.run(&["check", "--sarif", "--json", "iris.model"]).with(2);
}

/// A table has the words of the classes at its edges, and each row of the data once.
#[test]
fn a_table_is_printed_with_the_names_of_its_classes() {
    let place = Place::new();
    let text = fs::read_to_string(place.path("iris.model")).unwrap();
    let tables = "metrics = [confusion(predict, y)]";
    fs::write(place.path("iris.model"), text.replace("metrics   = [accuracy(predict, y)]", tables)).unwrap();
    let ended = place.run(&["run", "iris.model", "--set", "epochs=2"]).with(0).stdout;
    let lines: Vec<&str> = ended.lines().skip_while(|line| *line != "confusion").skip(1).collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]), ["class", "\\", "class'", "setosa", "versicolor", "virginica"], "{ended}");
    let rows: Vec<Vec<String>> = lines[1..4].iter().map(|line| words(line)).collect();
    let named: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(named, ["setosa", "versicolor", "virginica"]);
    let counts: Vec<Vec<f64>> =
        rows.iter().map(|row| row[1..].iter().map(|cell| cell.parse().expect("a count")).collect()).collect();

    // The same in the events of the run, and by `eval`, as nested lists.
    let eval = place.run(&["eval", "iris.model", "--json"]).with(0).stdout;
    let event: Value = serde_json::from_str(&eval).expect("JSON");
    assert_eq!(event["test"]["confusion"], serde_json::json!(counts));
    let shown = place.run(&["eval", "iris.model"]).with(0).stdout;
    assert!(shown.contains(&lines[..4].join("\n")), "{shown}");
    let metrics = fs::read_to_string(place.path("runs/iris-1/metrics.jsonl")).unwrap();
    let done: Value = serde_json::from_str(metrics.lines().last().expect("an event")).expect("JSON");
    assert_eq!(done["test"]["confusion"], serde_json::json!(counts));
    // Of each flower of the test rows one count.
    let rows = counts.iter().flatten().sum::<f64>();
    assert_eq!(rows, 22.0, "{counts:?}");
}

#[test]
fn check_holds_gradients_against_their_functions() {
    let place = Place::new();
    let text = "fn rounded(x: [..]) -> [..] = round(x) grad(dy) { dy }\n\
                fn squared(x: [..]) -> [..] { x * x } grad(dy) { 2 * dy * x }\n\
                fn mapped(f, x: [..]) -> [..] { f(x) } grad(dy) { dy }\n";
    fs::write(place.path("own.model"), text).unwrap();
    // Only where it is asked, and told at the clause.
    place.run(&["check", "own.model"]).with(0);
    let ended = place.run(&["check", "--gradients", "own.model"]).with(1);
    let title = "own.model: 1 gradient agrees, 1 differs, 1 was not tried\n  rounded  differs at `x[.. = ";
    assert!(ended.stdout.starts_with(title), "{}", ended.stdout);
    assert!(ended.stdout.contains("\n  squared  agrees\n  mapped   not tried: "), "{}", ended.stdout);
    for part in ["E0408", "own.model:1:40", "--allow rounded"] {
        assert!(ended.stderr.contains(part), "`{part}` is not in\n{}", ended.stderr);
    }
    let allowed = place.run(&["check", "--gradients", "--allow", "rounded", "own.model"]).with(0);
    assert!(allowed.stdout.contains(" (allowed)\n") && !allowed.stderr.contains("E0408"), "{allowed:?}");

    // As tools read it: an object for each function, then what is told.
    let ended = place.run(&["check", "--gradients", "--json", "own.model"]).with(1);
    let objects = ended.events();
    let verdicts: Vec<&Value> = objects.iter().filter(|object| object["gradient"].is_string()).collect();
    let all: Vec<(&str, &str)> =
        verdicts.iter().filter_map(|o| Some((o["gradient"].as_str()?, o["verdict"].as_str()?))).collect();
    assert_eq!(all, [("rounded", "differs"), ("squared", "agrees"), ("mapped", "not_tried")]);
    let input = &verdicts[0]["inputs"][0];
    assert_eq!((&input["name"], &input["agrees"], &input["body"]), (&"x".into(), &false.into(), &0.0.into()));
    assert!(verdicts[2]["reason"].as_str().is_some_and(|reason| reason.contains("`f`")), "{}", verdicts[2]);
    assert_eq!(objects.iter().filter(|object| object["code"] == "E0408").count(), 1);
    let sarif = place.run(&["check", "--gradients", "--sarif", "own.model"]).with(1).stdout;
    assert!(sarif.contains("\"E0408\""), "{sarif}");

    // A name that is none, and one without the question.
    let ended = place.run(&["check", "--gradients", "--allow", "round", "own.model"]).with(2);
    assert!(ended.stderr.contains("rounded, squared, mapped"), "{}", ended.stderr);
    place.run(&["check", "--allow", "rounded", "own.model"]).with(2);
    let ended = place.run(&["check", "--gradients", "iris.model"]).with(0);
    assert_eq!(ended.stdout, "iris.model: no function gives its gradient itself\n");
}
