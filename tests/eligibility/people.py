"""Test patients. Each passes the computable criteria of its trial; tests change one thing at a time."""

from widgets.eligibility.patient import Patient

HEALTHY = Patient(
    age="60 a", sex="male", pregnant=False, breast_feeding=False, fertile=False, contraception=False,
    ecog=0, karnofsky=100, child_pugh=5, heart_failure="none", nyha=0, lvef="60 %", angina="none",
    symptomatic_coronary_disease=False, arrhythmia="none", severe_arrhythmia_on_drugs=False, hypertension="none",
    systolic_pressure="120 mm[Hg]",
    diastolic_pressure="80 mm[Hg]", vascular_disease_uncontrolled=False,
    pao2="90 mm[Hg]", infection_grade=0, infection_uncontrolled=False, neuropathy_grade=0,
    hepatic_insufficiency="none",
    anc="4 10*9/L", platelets="250 10*9/L", haemoglobin="130 g/L", bilirubin="0.5 {ULN}", alt="0.5 {ULN}",
    ast="0.5 {ULN}", alkaline_phosphatase="0.8 {ULN}", creatinine="0.8 {ULN}", creatinine_clearance="90 mL/min",
    albumin="40 g/L", inr="1 1", aptt="0.9 {ULN}", proteinuria_on_dipstick=False, urine_protein="0.1 g/d",
    other_malignancy="none",
    other_malignancy_evidence="never", hepatic_encephalopathy=False, liver_transplant=False,
    myocardial_infarction="never", stroke_or_tia="never", other_acute_vascular_event="never",
    hypertensive_crisis=False,
    hypertensive_encephalopathy=False, bleeding_tendency=False, coagulation_disorder=False,
    full_dose_anticoagulation=False, severe_injury="never", fracture="never", ulcer="never", drug_abuse_ongoing=False,
    mental_disorder="none", epilepsy="none", cns_disease="none", immunodeficiency=False, autoimmune_disease=False,
    allergy_to_trial_therapy=False, major_surgery="1 a ago", open_biopsy="never", investigational_drug="never",
    concurrent_investigational_treatment=False, concurrent_anticancer_therapy=False, concurrent_chemotherapy=False,
    concurrent_biologic_therapy=False, concurrent_endocrine_therapy=False, concurrent_radiotherapy=False,
)  # fmt: skip
DISEASE = HEALTHY.with_(
    colorectal_histology="adenocarcinoma", liver_metastases_histology=True, liver_metastases_imaging=True,
    metastases_timing="metachronous", primary_tumour="resected_completely", primary_resection="1 a ago",
    liver_metastases=3, largest_metastasis="2 cm", extrahepatic_disease=False, brain_metastases=False, ascites="none",
    ascites_cancer_cells=False, ascites_cea_above_blood=False, chemotherapy_for_metastases="none",
    adjuvant_chemotherapy="none", metastases_diagnosed="never", other_chemotherapy=False, immunotherapy=False,
    systemic_lines=1, current_line=1,
)  # fmt: skip
PASSING = {
    "clocc": DISEASE.with_(
        metastases_resectable=False, liver_involvement="20 %", complete_local_treatment_possible=True,
        largest_lesion_to_ablate="2 cm", lesions_to_resect=0,
    ),
    "epoc": DISEASE.with_(metastases_resectable=True),
    "nct04562727": DISEASE,
    "nct06120127": DISEASE.with_(liver_resection="R1", resection_margin="0 cm", liver_metastases_remaining=0),
    "nct06449937": DISEASE.with_(
        extrahepatic_disease=True, metastases_resectable=True, sufficient_remnant=True, ablations=2,
    ),
}  # fmt: skip
