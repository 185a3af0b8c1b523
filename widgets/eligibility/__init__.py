"""Who may enter a trial: the criteria as a language, a patient, a verdict with its reasons, and what criteria cost."""
