"""Who may enter a trial: criteria as a language, a patient, a verdict with its reasons, what criteria cost."""
